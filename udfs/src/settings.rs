//! What a session's settings mean for functions, as an extension of the engine's options.
//!
//! Owns: the keys. Must never know: how a client sets them.

use datafusion::common::extensions_options;
use datafusion::config::ConfigExtension;

use crate::pg::moment::Order;

extensions_options! {
    /// How texts are read.
    pub struct ReadSettings {
        /// The order of fields of `DateStyle`: `ymd`, `dmy` or `mdy`.
        pub date_order: String, default = "mdy".to_owned()
    }
}

impl ConfigExtension for ReadSettings {
    const PREFIX: &'static str = "lakegate_read";
}

impl ReadSettings {
    pub fn new(order: Order) -> Self {
        let date_order = match order {
            Order::Ymd => "ymd",
            Order::Dmy => "dmy",
            Order::Mdy => "mdy",
        };
        Self { date_order: date_order.to_owned() }
    }

    pub fn order(&self) -> Order {
        match self.date_order.as_str() {
            "ymd" => Order::Ymd,
            "dmy" => Order::Dmy,
            _ => Order::Mdy,
        }
    }
}
