//! Five earlier years of the web shop as hive-partitioned Parquet: clean, typed, half as many rows as `--rows` says.
//!
//! Owns: the columns and the partitions.

use std::io;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Builder, Int32Builder, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::instants::{Instants, Slot};
use super::output::Output;
use super::parquet_file::{self, BATCH_ROWS};
use super::shop::Shop;
use crate::error::Error;

const SEED: u64 = 0xA2C4_17E0;
const YEARS: [i32; 5] = [2019, 2020, 2021, 2022, 2023];
/// Tills that may sell at the same instant.
const TILLS: u64 = 4;

pub(super) fn write(output: &mut Output, rows: u64) -> Result<(), Error> {
    let schema = schema();
    let years = YEARS.len() as u64;
    for (index, year) in (0..).zip(YEARS) {
        let wanted = rows / years + u64::from(index < rows % years);
        if wanted == 0 {
            continue;
        }
        let mut shop = Shop::new(SEED + index);
        let mut slots = Instants::of_year(year, TILLS, wanted, SEED ^ index);
        let mut number = 0;
        let batches = std::iter::from_fn(|| batch(&mut shop, &mut slots, (year, &mut number), &schema).transpose());
        let key = format!("transactions/online_archive/year={year}/part-0.parquet");
        output.file(&key, |writer| parquet_file::write(writer, Arc::clone(&schema), batches))?;
    }
    Ok(())
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("transacted_at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        Field::new("transaction_id", DataType::Utf8, false),
        Field::new("customer_id", DataType::Int64, false),
        Field::new("product_id", DataType::Utf8, false),
        Field::new("product_category", DataType::Utf8, false),
        Field::new("quantity", DataType::Int32, false),
        Field::new("unit_price", DataType::Decimal128(12, 2), false),
        Field::new("amount", DataType::Decimal128(12, 2), false),
        Field::new("currency", DataType::Utf8, false),
        Field::new("payment_method", DataType::Utf8, false),
        Field::new("city", DataType::Utf8, false),
        Field::new("status", DataType::Utf8, false),
    ]))
}

fn batch(
    shop: &mut Shop,
    slots: &mut Instants,
    (year, number): (i32, &mut u64),
    schema: &SchemaRef,
) -> io::Result<Option<RecordBatch>> {
    let mut columns = Columns::default();
    for slot in slots.take(BATCH_ROWS as usize) {
        *number += 1;
        columns.sell(shop, slot, format!("A{year}{number:08}"));
    }
    let arrays = columns.finish()?;
    if arrays.first().is_none_or(|array| array.is_empty()) {
        return Ok(None);
    }
    RecordBatch::try_new(Arc::clone(schema), arrays).map(Some).map_err(io::Error::other)
}

#[derive(Default)]
struct Columns {
    transacted_at: TimestampMicrosecondBuilder,
    transaction_id: StringBuilder,
    customer_id: Int64Builder,
    product_id: StringBuilder,
    product_category: StringBuilder,
    quantity: Int32Builder,
    unit_price: Decimal128Builder,
    amount: Decimal128Builder,
    currency: StringBuilder,
    payment_method: StringBuilder,
    city: StringBuilder,
    status: StringBuilder,
}

impl Columns {
    fn sell(&mut self, shop: &mut Shop, slot: Slot, id: String) {
        let purchase = if shop.random().once_in(100) { shop.refund() } else { shop.sell() };
        self.transacted_at.append_value(slot.at_us);
        self.transaction_id.append_value(id);
        self.customer_id.append_value(purchase.customer_id as i64);
        self.product_id.append_value(format!("P{:04}", purchase.product_id));
        self.product_category.append_value(purchase.category);
        self.quantity.append_value(purchase.quantity as i32);
        self.unit_price.append_value(purchase.unit_price_cents.into());
        self.amount.append_value(purchase.amount_cents().into());
        self.currency.append_value(purchase.currency);
        self.payment_method.append_value(purchase.payment_method);
        self.city.append_value(purchase.city);
        self.status.append_value(purchase.status);
    }

    fn finish(mut self) -> io::Result<Vec<ArrayRef>> {
        let money = |mut builder: Decimal128Builder| builder.finish().with_precision_and_scale(12, 2);
        Ok(vec![
            Arc::new(self.transacted_at.finish().with_timezone("UTC")),
            Arc::new(self.transaction_id.finish()),
            Arc::new(self.customer_id.finish()),
            Arc::new(self.product_id.finish()),
            Arc::new(self.product_category.finish()),
            Arc::new(self.quantity.finish()),
            Arc::new(money(self.unit_price).map_err(io::Error::other)?),
            Arc::new(money(self.amount).map_err(io::Error::other)?),
            Arc::new(self.currency.finish()),
            Arc::new(self.payment_method.finish()),
            Arc::new(self.city.finish()),
            Arc::new(self.status.finish()),
        ])
    }
}
