//! A year of the web shop's transactions: twelve CSV files of one table, 100,000 rows, every trap of such exports.
//!
//! Owns: the traps. A byte order mark, CRLF line ends, moved columns, an extra last column, a file with a header only
//! and one of no bytes; duplicate ids, refunds, line breaks in quotes, `""` beside nothing, `NA`, `NULL` and `\N`, three
//! currencies, and local times of the nights in which clocks change.

use std::io::{self, Write};

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::output::{Output, hundredths};
use super::shop::{Purchase, Shop};
use crate::error::Error;

const SEED: u64 = 0x5040_0001;
const YEAR: i32 = 2024;
/// Of each of the ten months that have any.
const ROWS_PER_FILE: u64 = 10_000;

#[derive(Clone, Copy)]
enum Column {
    TransactionId,
    CustomerId,
    ProductId,
    ProductCategory,
    Quantity,
    UnitPrice,
    Amount,
    Currency,
    PaymentMethod,
    TransactionDate,
    City,
    Address,
    Email,
    Status,
    LoyaltyPoints,
}

use Column::{
    Address, Amount, City, Currency, CustomerId, Email, LoyaltyPoints, PaymentMethod, ProductCategory, ProductId,
    Quantity, Status, TransactionDate, TransactionId, UnitPrice,
};

const USUAL: &[Column] = &[
    TransactionId,
    CustomerId,
    ProductId,
    ProductCategory,
    Quantity,
    UnitPrice,
    Amount,
    Currency,
    PaymentMethod,
    TransactionDate,
    City,
    Address,
    Email,
    Status,
];

const MOVED: &[Column] = &[
    TransactionDate,
    TransactionId,
    Status,
    CustomerId,
    Amount,
    UnitPrice,
    Quantity,
    ProductCategory,
    ProductId,
    Email,
    Address,
    City,
    PaymentMethod,
    Currency,
];

const EXTRA: &[Column] = &[
    TransactionId,
    CustomerId,
    ProductId,
    ProductCategory,
    Quantity,
    UnitPrice,
    Amount,
    Currency,
    PaymentMethod,
    TransactionDate,
    City,
    Address,
    Email,
    Status,
    LoyaltyPoints,
];

/// How the export of one month was written.
#[derive(Clone, Copy)]
struct Style {
    columns: &'static [Column],
    line_end: &'static str,
    byte_order_mark: bool,
    content: Content,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Nothing,
    Header,
    Rows,
}

const PLAIN: Style = Style { columns: USUAL, line_end: "\n", byte_order_mark: false, content: Content::Rows };

fn style(month: u32) -> Style {
    match month {
        2 => Style { byte_order_mark: true, ..PLAIN },
        3 => Style { line_end: "\r\n", ..PLAIN },
        4 => Style { columns: MOVED, ..PLAIN },
        8 => Style { content: Content::Header, ..PLAIN },
        9 => Style { content: Content::Nothing, ..PLAIN },
        10 => Style { columns: EXTRA, ..PLAIN },
        _ => PLAIN,
    }
}

pub(super) fn write(output: &mut Output) -> Result<(), Error> {
    let mut shop = Shop::new(SEED);
    let mut last_id = 0;
    for month in 1..=12 {
        let key = format!("transactions/online/{YEAR}-{month:02}.csv");
        output.file(&key, |writer| {
            let style = style(month);
            if style.content == Content::Nothing {
                return Ok(0);
            }
            if style.byte_order_mark {
                writer.write_all(b"\xEF\xBB\xBF")?;
            }
            write_header(writer, style)?;
            if style.content == Content::Header {
                return Ok(0);
            }
            write_month(writer, style, &mut shop, month, &mut last_id)?;
            Ok(ROWS_PER_FILE)
        })?;
    }
    Ok(())
}

fn write_header(writer: &mut impl Write, style: Style) -> io::Result<()> {
    let names: Vec<_> = style.columns.iter().map(|column| column.name()).collect();
    write!(writer, "{}{}", names.join(","), style.line_end)
}

fn write_month(
    writer: &mut impl Write,
    style: Style,
    shop: &mut Shop,
    month: u32,
    last_id: &mut u64,
) -> io::Result<()> {
    let first = NaiveDate::from_ymd_opt(YEAR, month, 1).unwrap_or_default();
    let days = u64::from(first.num_days_in_month());
    let mut previous = None;
    for index in 0..ROWS_PER_FILE {
        // One row in fifty comes twice, with one id: as it was, or five minutes later with another status.
        let row = match previous.take() {
            Some(row) if index % 50 == 49 => again(row, shop),
            _ => {
                *last_id += 1;
                let second = 86_400 * days * index / ROWS_PER_FILE;
                let at = (first + Days::new(second / 86_400)).and_time(NaiveTime::MIN)
                    + TimeDelta::seconds((second % 86_400) as i64);
                Row::new(*last_id, at, index % 100 == 37, shop)
            }
        };
        row.write(writer, style)?;
        previous = Some(row);
    }
    Ok(())
}

fn again(mut row: Row, shop: &mut Shop) -> Row {
    if shop.random().once_in(2) {
        row.at += TimeDelta::minutes(5);
        if row.purchase.status != "refunded" {
            row.purchase.status = "completed";
        }
    }
    row
}

struct Row {
    id: u64,
    at: NaiveDateTime,
    purchase: Purchase,
    address: String,
    email: String,
}

impl Row {
    fn new(id: u64, at: NaiveDateTime, refund: bool, shop: &mut Shop) -> Self {
        let purchase = if refund { shop.refund() } else { shop.sell() };
        let number = purchase.customer_id % 200 + 1;
        let address = match shop.random().below(200) {
            0 => format!("\"{number} High Street\nFlat 2\""),
            1..60 => format!("\"{number} High Street, {}\"", purchase.city),
            60..120 => format!("{number} High Street"),
            _ => String::new(),
        };
        let email = match shop.random().below(100) {
            0 => String::new(),
            1 => "\"\"".to_owned(),
            2 => "NA".to_owned(),
            3 => "NULL".to_owned(),
            4 => "\\N".to_owned(),
            _ => format!("c{}@example.com", purchase.customer_id),
        };
        Self { id, at, purchase, address, email }
    }

    fn write(&self, writer: &mut impl Write, style: Style) -> io::Result<()> {
        for (index, column) in style.columns.iter().enumerate() {
            if index > 0 {
                writer.write_all(b",")?;
            }
            self.write_cell(writer, *column)?;
        }
        writer.write_all(style.line_end.as_bytes())
    }

    fn write_cell(&self, writer: &mut impl Write, column: Column) -> io::Result<()> {
        let purchase = &self.purchase;
        match column {
            TransactionId => write!(writer, "T{:07}", self.id),
            CustomerId => write!(writer, "{}", purchase.customer_id),
            ProductId => write!(writer, "P{:04}", purchase.product_id),
            ProductCategory => writer.write_all(purchase.category.as_bytes()),
            Quantity => write!(writer, "{}", purchase.quantity),
            UnitPrice => hundredths(writer, purchase.unit_price_cents),
            Amount => hundredths(writer, purchase.amount_cents()),
            Currency => writer.write_all(purchase.currency.as_bytes()),
            PaymentMethod => writer.write_all(purchase.payment_method.as_bytes()),
            TransactionDate => write!(writer, "{}", self.at.format("%Y-%m-%d %H:%M:%S")),
            City => writer.write_all(purchase.city.as_bytes()),
            Address => writer.write_all(self.address.as_bytes()),
            Email => writer.write_all(self.email.as_bytes()),
            Status => writer.write_all(purchase.status.as_bytes()),
            LoyaltyPoints => write!(writer, "{}", purchase.amount_cents().max(0) / 1000),
        }
    }
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            TransactionId => "transaction_id",
            CustomerId => "customer_id",
            ProductId => "product_id",
            ProductCategory => "product_category",
            Quantity => "quantity",
            UnitPrice => "unit_price",
            Amount => "amount",
            Currency => "currency",
            PaymentMethod => "payment_method",
            TransactionDate => "transaction_date",
            City => "city",
            Address => "address",
            Email => "email",
            Status => "status",
            LoyaltyPoints => "loyalty_points",
        }
    }
}
