//! `lakegate_least(value, key)`, `lakegate_greatest(value, key)` - the value of the least and of the greatest key.
//!
//! `min` and `max` of values that Arrow compares otherwise than PostgreSQL are planned as these. Of equal keys the last
//! value is taken, as PostgreSQL does. Rows without a key do not count. Users never name these aggregates.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

/// `lakegate_least`.
pub fn least() -> Arc<AggregateUDF> {
    extreme("lakegate_least", false)
}

/// `lakegate_greatest`.
pub fn greatest() -> Arc<AggregateUDF> {
    extreme("lakegate_greatest", true)
}

fn extreme(name: &'static str, greatest: bool) -> Arc<AggregateUDF> {
    let signature = Signature::any(2, Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(Extreme { name, greatest, signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Extreme {
    name: &'static str,
    greatest: bool,
    signature: Signature,
}

impl AggregateUDFImpl for Extreme {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match given {
            [value, _] => Ok(value.clone()),
            _ => exec_err!("{} takes a value and a key", self.name),
        }
    }

    fn return_field(&self, given: &[FieldRef]) -> Result<FieldRef> {
        match given {
            [value, _] => Ok(Arc::new(value.as_ref().clone().with_name(self.name).with_nullable(true))),
            _ => exec_err!("{} takes a value and a key", self.name),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let none = ScalarValue::try_from(args.return_type())?;
        Ok(Box::new(Best { greatest: self.greatest, best: None, none }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let none = ScalarValue::try_from(args.return_type())?;
        Ok(Box::new(Moving { greatest: self.greatest, kept: VecDeque::new(), first: 0, next: 0, none }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |(name, of): (&str, &FieldRef)| {
            Arc::new(Field::new(format!("{}[{name}]", args.name), of.data_type().clone(), true))
        };
        Ok(["value", "key"].into_iter().zip(args.input_fields).map(field).collect())
    }
}

/// Whether a later key takes the place of an earlier one; so does an equal one.
fn replaces(later: i128, earlier: i128, greatest: bool) -> bool {
    if greatest { later >= earlier } else { later <= earlier }
}

/// The best row so far.
#[derive(Debug)]
struct Best {
    greatest: bool,
    best: Option<(i128, ScalarValue)>,
    none: ScalarValue,
}

impl Accumulator for Best {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [values, keys] = values else { return exec_err!("an extreme takes a value and a key") };
        let before = self.best.as_ref().map(|(key, _)| *key);
        let mut found: Option<(i128, usize)> = None;
        for (row, key) in keys.as_primitive::<Decimal128Type>().iter().enumerate() {
            let Some(key) = key else { continue };
            let best = found.map(|(key, _)| key).or(before);
            if best.is_none_or(|best| replaces(key, best, self.greatest)) {
                found = Some((key, row));
            }
        }
        if let Some((key, row)) = found {
            self.best = Some((key, ScalarValue::try_from_array(values, row)?));
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let key = self.best.as_ref().map(|(key, _)| *key);
        Ok(vec![self.evaluate()?, ScalarValue::Decimal128(key, 38, 0)])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.best.as_ref().map_or_else(|| self.none.clone(), |(_, value)| value.clone()))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.best.as_ref().map_or(0, |(_, value)| value.size())
    }
}

/// The rows of a moving window that may yet be the best, the best first.
#[derive(Debug)]
struct Moving {
    greatest: bool,
    kept: VecDeque<(u64, i128, ScalarValue)>,
    /// The number of the first row in the window.
    first: u64,
    /// The number of the next row that comes.
    next: u64,
    none: ScalarValue,
}

impl Accumulator for Moving {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [values, keys] = values else { return exec_err!("an extreme takes a value and a key") };
        for (row, key) in keys.as_primitive::<Decimal128Type>().iter().enumerate() {
            let number = self.next;
            self.next += 1;
            let Some(key) = key else { continue };
            while self.kept.back().is_some_and(|(_, earlier, _)| replaces(key, *earlier, self.greatest)) {
                self.kept.pop_back();
            }
            self.kept.push_back((number, key, ScalarValue::try_from_array(values, row)?));
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.first += values.first().map_or(0, |values| values.len()) as u64;
        while self.kept.front().is_some_and(|(number, ..)| *number < self.first) {
            self.kept.pop_front();
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let key = self.kept.front().map(|(_, key, _)| *key);
        Ok(vec![self.evaluate()?, ScalarValue::Decimal128(key, 38, 0)])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.kept.front().map_or_else(|| self.none.clone(), |(.., value)| value.clone()))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.kept.iter().map(|row| size_of_val(row) + row.2.size()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, StringArray};

    fn rows(rows: &[(&str, Option<i128>)]) -> [ArrayRef; 2] {
        let values: StringArray = rows.iter().map(|(value, _)| Some(*value)).collect();
        let keys: Decimal128Array = rows.iter().map(|(_, key)| *key).collect();
        [Arc::new(values), Arc::new(keys)]
    }

    fn text(text: &str) -> ScalarValue {
        ScalarValue::Utf8(Some(text.to_owned()))
    }

    #[test]
    fn the_last_of_equal_keys_is_taken() {
        for (greatest, expect) in [(false, "b"), (true, "d")] {
            let mut best = Best { greatest, best: None, none: ScalarValue::Utf8(None) };
            assert_eq!(best.evaluate().unwrap(), ScalarValue::Utf8(None));
            best.update_batch(&rows(&[("a", Some(1)), ("c", Some(9)), ("x", None)])).unwrap();
            best.update_batch(&rows(&[("b", Some(1)), ("d", Some(9))])).unwrap();
            assert_eq!(best.evaluate().unwrap(), text(expect));
        }
    }

    #[test]
    fn a_window_moves() {
        let none = ScalarValue::Utf8(None);
        let mut window = Moving { greatest: true, kept: VecDeque::new(), first: 0, next: 0, none };
        let all = [("a", Some(5)), ("b", None), ("c", Some(3)), ("d", Some(3)), ("e", Some(1))];
        window.update_batch(&rows(&all[..3])).unwrap();
        assert_eq!(window.evaluate().unwrap(), text("a"));
        window.retract_batch(&rows(&all[..1])).unwrap();
        window.update_batch(&rows(&all[3..])).unwrap();
        assert_eq!(window.evaluate().unwrap(), text("d"));
        window.retract_batch(&rows(&all[1..5])).unwrap();
        assert_eq!(window.evaluate().unwrap(), ScalarValue::Utf8(None));
    }
}
