//! A moment from its fields.
//!
//! Owns: PostgreSQL's `DecodeDateTime` and `DecodeTimeOnly`: which fields may stand together, and in which order. Must
//! never know: how one field reads.

use chrono_tz::Tz;

use super::fields::{self, AFTERNOON, DATE, DAY, ERA, Fields, MONTH, SUMMER, SUMMER_WORD, TIME, WEEKDAY, ZONE};
use super::split::{Field, Kind, split};
use super::words::{self, Word};
use super::{Failure, Offset, Order};
use crate::pg::interval::MICROS_PER_DAY;
use crate::pg::zone::{self, Abbreviation, Zone};

/// What a text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoded {
    Late,
    Early,
    Epoch,
    At {
        /// Days since 1970-01-01; `None` of a time alone.
        day: Option<i64>,
        micros: i64,
        zone: Option<Offset>,
    },
}

/// Whether a text is to be a date or timestamp, or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Moment,
    Time,
}

/// A date or a timestamp; `here` is the session's zone, whose clock `today` is of.
pub(super) fn moment(text: &str, order: Order, here: Tz) -> Result<Decoded, Failure> {
    Decoder::new(Wanted::Moment, order, here).decode(&split(text)?)
}

/// A time, perhaps with its date and zone.
pub(super) fn time(text: &str, order: Order, here: Tz) -> Result<Decoded, Failure> {
    Decoder::new(Wanted::Time, order, here).decode(&split(text)?)
}

struct Decoder {
    wanted: Wanted,
    here: Tz,
    fields: Fields,
    mask: u32,
    /// The word before the field told what it is.
    label: Option<Word>,
    zone: Option<Offset>,
    /// Whether the zone is one by name, which has summers of its own.
    has_named_zone: bool,
    afternoon: Option<bool>,
    outcome: Option<Decoded>,
}

impl Decoder {
    fn new(wanted: Wanted, order: Order, here: Tz) -> Self {
        let fields = Fields { order, ..Fields::default() };
        let (label, zone, afternoon, outcome) = (None, None, None, None);
        Self { wanted, here, fields, mask: 0, label, zone, has_named_zone: false, afternoon, outcome }
    }

    fn decode(mut self, all: &[Field]) -> Result<Decoded, Failure> {
        for (at, field) in all.iter().enumerate() {
            let read = match field.kind {
                Kind::Date => self.date(field, at, all)?,
                Kind::Time => self.clock(field)?,
                Kind::Zone => {
                    self.zone = Some(Offset::Fixed(fields::zone(&field.text)?));
                    ZONE
                }
                Kind::Number => self.number(field, at, all)?,
                Kind::Word => match self.word(field, all.get(at + 1))? {
                    Some(read) => read,
                    None => continue,
                },
            };
            if self.mask & read != 0 {
                return Err(Failure::Syntax);
            }
            self.mask |= read;
        }
        self.settle()
    }

    /// The fields of a date that a time takes for there already.
    fn taken(&self) -> u32 {
        if self.wanted == Wanted::Time { self.mask | DATE } else { self.mask }
    }

    fn clock(&mut self, field: &Field) -> Result<u32, Failure> {
        match self.label {
            None => {}
            // It is still there at the end, which refuses it: `T04:05:06` is no time, although `T040506` is.
            Some(_) if self.wanted == Wanted::Time => {}
            Some(Word::Time) => self.label = None,
            Some(_) => return Err(Failure::Syntax),
        }
        let read = self.fields.time(&field.text)?;
        if self.wanted == Wanted::Moment && self.fields.is_late() {
            return Err(Failure::Range);
        }
        Ok(read)
    }

    /// A date, a zone's name with punctuation in it, or a time with a zone behind it.
    fn date(&mut self, field: &Field, at: usize, all: &[Field]) -> Result<u32, Failure> {
        let text = &field.text;
        let has_date = match self.wanted {
            Wanted::Moment => {
                if let Some(Word::Julian) = self.label {
                    self.label = None;
                    let (number, rest) = fields::integer(text, Failure::Range)?;
                    if number < 0 {
                        return Err(Failure::Range);
                    }
                    self.fields.set_julian(number);
                    self.zone = Some(Offset::Fixed(fields::zone(rest)?));
                    return Ok(DATE | TIME | ZONE);
                }
                self.label.is_some() || self.mask & (MONTH | DAY) == MONTH | DAY
            }
            Wanted::Time => {
                let last = all.last().is_some_and(|last| last.kind == Kind::Date);
                let then_time = all.get(1).is_some_and(|second| second.kind == Kind::Time);
                !(at == 0 && all.len() >= 2 && (last || then_time))
            }
        };
        if !has_date {
            return self.fields.date(text, self.mask);
        }
        // Before a time a label stays, too.
        let label = if self.wanted == Wanted::Moment { self.label.take() } else { None };
        if !text.starts_with(|c: char| c.is_ascii_digit()) && label.is_none() {
            return self.named(text);
        }
        if !matches!(label, None | Some(Word::Time)) || self.mask & TIME != 0 {
            return Err(Failure::Syntax);
        }
        let (clock, offset) = text.find('-').and_then(|minus| text.split_at_checked(minus)).ok_or(Failure::Syntax)?;
        self.zone = Some(Offset::Fixed(fields::zone(offset)?));
        Ok(self.fields.run_together(clock, self.taken())? | ZONE)
    }

    /// A zone by its name; 22023 for one that no one knows.
    fn named(&mut self, name: &str) -> Result<u32, Failure> {
        self.zone = Some(match Zone::named(name) {
            Ok(Zone::Fixed(east)) => Offset::Fixed(east),
            Ok(Zone::Named(zone)) => Offset::Named(zone),
            Ok(Zone::Posix(zone)) => Offset::Posix(zone),
            Ok(Zone::Abbreviated(zone)) => Offset::Abbreviated(zone),
            Err(_) => return Err(Failure::UnknownZone(name.to_owned())),
        });
        self.has_named_zone = true;
        Ok(ZONE)
    }

    fn number(&mut self, field: &Field, at: usize, all: &[Field]) -> Result<u32, Failure> {
        let text = &field.text;
        if let Some(label) = self.label.take() {
            return self.labelled(text, label);
        }
        let point = text.find('.');
        match (self.wanted, point) {
            (Wanted::Moment, Some(_)) if self.mask & DATE == 0 => self.fields.date(text, self.mask),
            (Wanted::Moment, Some(whole)) if whole > 2 => self.fields.run_together(text, self.mask),
            (Wanted::Moment, _) if text.len() >= 6 && (self.mask & DATE == 0 || self.mask & TIME == 0) => {
                self.fields.run_together(text, self.mask)
            }
            (Wanted::Moment, _) => self.fields.number(text, self.fields.has_text_month, self.mask),
            (Wanted::Time, Some(whole)) => {
                if at == 0 && all.len() >= 2 && all.last().is_some_and(|last| last.kind == Kind::Date) {
                    return self.fields.date(text, self.mask);
                }
                if whole <= 2 {
                    return Err(Failure::Syntax);
                }
                self.fields.run_together(text, self.taken())
            }
            (Wanted::Time, None) if text.len() > 4 => self.fields.run_together(text, self.taken()),
            (Wanted::Time, None) => self.fields.number(text, false, self.taken()),
        }
    }

    fn labelled(&mut self, text: &str, label: Word) -> Result<u32, Failure> {
        let (number, rest) = fields::integer(text, Failure::Range)?;
        match label {
            Word::Julian => self.julian(number, rest),
            Word::Time => {
                let read = self.fields.run_together(text, self.mask | DATE)?;
                if read == TIME { Ok(read) } else { Err(Failure::Syntax) }
            }
            _ => Err(Failure::Syntax),
        }
    }

    fn julian(&mut self, number: i64, rest: &str) -> Result<u32, Failure> {
        if number < 0 {
            return Err(Failure::Range);
        }
        self.fields.set_julian(number);
        if rest.is_empty() {
            return Ok(DATE);
        }
        if !rest.starts_with('.') {
            return Err(Failure::Syntax);
        }
        let part: f64 = format!("0{rest}").parse().map_err(|_| Failure::Syntax)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a part of a day")]
        let micros = (part * MICROS_PER_DAY as f64) as i64;
        self.fields.fraction = micros;
        Ok(DATE | TIME)
    }

    /// `None` is a word that says nothing.
    fn word(&mut self, field: &Field, next: Option<&Field>) -> Result<Option<u32>, Failure> {
        match zone::abbreviation(&field.text) {
            Some(Abbreviation::Fixed { east, is_summer }) => {
                self.zone = Some(Offset::Fixed(east));
                return Ok(Some(if is_summer { ZONE | SUMMER } else { ZONE }));
            }
            Some(Abbreviation::Dynamic(zone)) => {
                self.zone = Some(Offset::Abbreviated(zone));
                return Ok(Some(ZONE));
            }
            None => {}
        }
        let Some(word) = words::special(&field.text) else {
            return self.named(&field.text).map(Some).map_err(|_| Failure::Syntax);
        };
        Ok(Some(match word {
            Word::Ignored => return Ok(None),
            Word::Weekday => WEEKDAY,
            Word::Afternoon(is_late) => {
                self.afternoon = Some(is_late);
                AFTERNOON
            }
            Word::BeforeChrist(is_before) => {
                self.fields.before_christ = is_before;
                ERA
            }
            Word::Summer => {
                // An hour before its zone is forgotten when that comes.
                if let Some(Offset::Fixed(east)) = &mut self.zone {
                    *east += 3_600;
                }
                SUMMER | SUMMER_WORD
            }
            Word::Julian | Word::Unit | Word::Time if self.label.is_some() => return Err(Failure::Syntax),
            Word::Julian | Word::Unit => {
                self.label = Some(word);
                0
            }
            Word::Time => {
                let follows = next.is_some_and(|next| matches!(next.kind, Kind::Number | Kind::Time | Kind::Date));
                if !follows || (self.wanted == Wanted::Moment && self.mask & DATE != DATE) {
                    return Err(Failure::Syntax);
                }
                self.label = Some(word);
                0
            }
            Word::Midnight => {
                self.zone = Some(Offset::Fixed(0));
                TIME | ZONE
            }
            Word::Now if self.wanted == Wanted::Time => {
                self.now()?;
                TIME
            }
            Word::Month(_) | Word::Day(_) | Word::Epoch | Word::Late | Word::Early if self.wanted == Wanted::Time => {
                return Err(Failure::Syntax);
            }
            Word::Month(month) => self.month(month),
            Word::Now => {
                let days = self.now()?;
                self.fields.set_days(days);
                DATE | TIME | ZONE
            }
            Word::Day(shift) => {
                let days = self.today()?;
                self.fields.set_days(days + shift);
                DATE
            }
            Word::Epoch => self.whole(Decoded::Epoch),
            Word::Late => self.whole(Decoded::Late),
            Word::Early => self.whole(Decoded::Early),
        }))
    }

    fn whole(&mut self, outcome: Decoded) -> u32 {
        self.outcome = Some(outcome);
        DATE | TIME | ZONE
    }

    /// The month's name; a number that was taken for the month is the day then.
    fn month(&mut self, month: i64) -> u32 {
        let replaces = self.mask & MONTH != 0
            && self.mask & DAY == 0
            && !self.fields.has_text_month
            && (1..=31).contains(&self.fields.month);
        let read = if replaces { DAY } else { MONTH };
        if replaces {
            self.fields.day = self.fields.month;
        }
        self.fields.has_text_month = true;
        self.fields.month = month;
        read
    }

    /// Sets the time to the session's clock; gives its day.
    fn now(&mut self) -> Result<i64, Failure> {
        let local = self.local()?;
        let micros = local.rem_euclid(MICROS_PER_DAY);
        (self.fields.hour, self.fields.minute, self.fields.second) = (0, 0, 0);
        self.fields.fraction = micros;
        Ok(local.div_euclid(MICROS_PER_DAY))
    }

    fn today(&self) -> Result<i64, Failure> {
        Ok(self.local()?.div_euclid(MICROS_PER_DAY))
    }

    fn local(&self) -> Result<i64, Failure> {
        Zone::Named(self.here).to_local(chrono::Utc::now().timestamp_micros()).map_err(|_| Failure::Range)
    }

    fn settle(mut self) -> Result<Decoded, Failure> {
        if self.label.is_some() {
            return Err(Failure::Syntax);
        }
        if let Some(outcome) = self.outcome {
            return Ok(outcome);
        }
        self.fields.settle_date(self.mask)?;
        if self.afternoon.is_some() && self.fields.hour > 12 {
            return Err(Failure::Range);
        }
        match self.afternoon {
            Some(false) if self.fields.hour == 12 => self.fields.hour = 0,
            Some(true) if self.fields.hour != 12 => self.fields.hour += 12,
            _ => {}
        }
        let has_date = self.mask & DATE == DATE;
        match self.wanted {
            Wanted::Moment if !has_date => return Err(Failure::Syntax),
            Wanted::Time if self.fields.is_late() => return Err(Failure::Range),
            Wanted::Time if self.mask & TIME == 0 => return Err(Failure::Syntax),
            _ => {}
        }
        let is_of_fixed = !self.has_named_zone && matches!(self.zone, Some(Offset::Fixed(_)));
        if self.mask & SUMMER_WORD != 0 && !is_of_fixed {
            return Err(Failure::Syntax);
        }
        if self.wanted == Wanted::Time && !has_date {
            // The time of a day that changes its clock twice a year needs the day.
            let needs_day = self.has_named_zone && self.zone.is_some_and(|offset| !offset.zone().is_fixed());
            if needs_day || self.mask & DATE != 0 {
                return Err(Failure::Syntax);
            }
        }
        let day = has_date.then(|| self.fields.days());
        Ok(Decoded::At { day, micros: self.fields.micros(), zone: self.zone })
    }
}
