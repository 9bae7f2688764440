//! The web shop whose transactions the demo has: its products, customers, cities and means of payment.
//!
//! Owns: how one transaction comes about. Must never know: a file format.

use super::random::{Random, Zipf};

pub(super) const CATEGORIES: [&str; 10] =
    ["Automotive", "Beauty", "Books", "Clothing", "Electronics", "Garden", "Grocery", "Home", "Sports", "Toys"];
const PAYMENT_METHODS: [&str; 8] = ["card", "card", "card", "card", "paypal", "paypal", "bank_transfer", "gift_card"];
const CURRENCIES: [&str; 5] = ["EUR", "EUR", "EUR", "USD", "GBP"];
const PRODUCTS: u32 = 1_000;
const CUSTOMERS: u32 = 20_000;

#[rustfmt::skip]
const CITIES: [&str; 20] = [
    "Paris", "London", "New York", "Berlin", "Madrid", "Lyon", "Toulouse", "Amsterdam", "Zürich", "Chicago", "Milan",
    "Brussels", "Vienna", "Lisbon", "Dublin", "Málaga", "Boston", "Prague", "Århus", "São Paulo",
];

/// What a customer bought.
#[derive(Debug, Clone)]
pub(super) struct Purchase {
    pub(super) customer_id: u64,
    pub(super) product_id: u64,
    pub(super) category: &'static str,
    pub(super) quantity: i64,
    pub(super) unit_price_cents: i64,
    pub(super) currency: &'static str,
    pub(super) payment_method: &'static str,
    pub(super) city: &'static str,
    pub(super) status: &'static str,
}

impl Purchase {
    pub(super) fn amount_cents(&self) -> i64 {
        self.quantity * self.unit_price_cents
    }
}

pub(super) struct Shop {
    random: Random,
    products: Zipf,
    customers: Zipf,
    cities: Zipf,
}

impl Shop {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            products: Zipf::new(PRODUCTS),
            customers: Zipf::new(CUSTOMERS),
            cities: Zipf::new(CITIES.len() as u32),
        }
    }

    pub(super) fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    pub(super) fn sell(&mut self) -> Purchase {
        let random = &mut self.random;
        let product_id = self.products.draw(random) + 1;
        // A product's category and price follow from its number alone.
        let mut product = Random::new(product_id);
        let status = match random.below(100) {
            0..94 => "completed",
            94..98 => "pending",
            _ => "cancelled",
        };
        Purchase {
            customer_id: self.customers.draw(random) + 1,
            product_id,
            category: product.pick(&CATEGORIES),
            quantity: 1 + (random.below(9) / 3 * random.below(2)) as i64,
            unit_price_cents: 199 + (product.unit() * product.unit() * 30_000.0) as i64,
            currency: random.pick(&CURRENCIES),
            payment_method: random.pick(&PAYMENT_METHODS),
            city: CITIES.get(self.cities.draw(random) as usize).copied().unwrap_or_default(),
            status,
        }
    }

    /// The same goods sent back: quantity and amount are negative.
    pub(super) fn refund(&mut self) -> Purchase {
        let purchase = self.sell();
        Purchase { quantity: -purchase.quantity, status: "refunded", ..purchase }
    }
}
