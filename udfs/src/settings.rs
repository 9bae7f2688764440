//! What a session's settings mean for functions, as an extension of the engine's options.
//!
//! Owns: the keys. Must never know: how a client sets them.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::Field;
use datafusion::common::{Result, config_err, extensions_options};
use datafusion::config::{ConfigEntry, ConfigExtension, ExtensionOptions};

use crate::pg::interval::Style;
use crate::pg::moment::Order;

extensions_options! {
    /// How texts are read.
    pub struct ReadSettings {
        /// The order of fields of `DateStyle`: `ymd`, `dmy` or `mdy`.
        pub date_order: String, default = "mdy".to_owned()

        /// Whether `IntervalStyle` is `sql_standard`.
        pub sql_standard_intervals: bool, default = false
    }
}

impl ConfigExtension for ReadSettings {
    const PREFIX: &'static str = "lakegate_read";
}

impl ReadSettings {
    pub fn new(order: Order, intervals: Style) -> Self {
        let date_order = match order {
            Order::Ymd => "ymd",
            Order::Dmy => "dmy",
            Order::Mdy => "mdy",
        };
        let sql_standard_intervals = intervals == Style::SqlStandard;
        Self { date_order: date_order.to_owned(), sql_standard_intervals }
    }

    /// How intervals are read: the other styles differ in what they show alone.
    pub fn intervals(&self) -> Style {
        if self.sql_standard_intervals { Style::SqlStandard } else { Style::Postgres }
    }

    pub fn order(&self) -> Order {
        match self.date_order.as_str() {
            "ymd" => Order::Ymd,
            "dmy" => Order::Dmy,
            _ => Order::Mdy,
        }
    }
}

/// What values show in a session: PostgreSQL's output functions, with the session's styles.
pub trait Output: Debug + Send + Sync {
    /// The texts of a column's values, null for null.
    fn texts(&self, values: &ArrayRef, field: &Field) -> Result<ArrayRef>;
}

/// The output functions of a statement's session.
#[derive(Debug, Clone)]
pub struct Outputs(pub Arc<dyn Output>);

impl Outputs {
    pub(crate) fn texts(&self, values: &ArrayRef, field: &Field) -> Result<ArrayRef> {
        self.0.texts(values, field)
    }
}

impl ConfigExtension for Outputs {
    const PREFIX: &'static str = "lakegate_output";
}

impl ExtensionOptions for Outputs {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, _: &str) -> Result<()> {
        config_err!("there is no setting {key}")
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}
