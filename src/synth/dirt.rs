//! Defects for `--dirt`, each told in `truth.injected_defects`: rows twice, rows late, rows without their parent,
//! rows in no currency.
//!
//! Which row is spoilt follows from its key alone, so a defect does not depend on the window that is
//! written. All but late rows are additions: a clean history and a dirty one hold the same facts.

use super::id::Id;
use super::random::{Dice, Stream};
use super::rows::{
    AttemptRow, ChurnRow, CreditNoteRow, CustomerRow, CustomerTraitRow, DefectRow, DiscountRow,
    DisputeRow, DunningRow, InvoiceRow, LineRow, MethodRow, ProductEventRow, RefundRow, Row,
    SessionRow, SubscriptionEventRow, SubscriptionRow, SubscriptionTraitRow, UserRow,
};
use super::schema::TABLES;
use super::time::{At, HOUR};

/// Shares of rows: twice, late, orphans, in a bad currency.
const SHARES: [f64; 4] = [0.001, 0.003, 0.000_5, 0.000_2];
/// A code that ISO 4217 keeps for "no currency".
const NO_CURRENCY: &str = "XXX";

/// A row that defects can befall.
pub trait Spoilable: Row + Clone {
    /// Its key; none: it is never spoilt.
    fn key(&self) -> Option<Id> {
        None
    }

    /// The same row delivered again some hours later.
    fn again(&self, _hours: i64) -> Option<Self> {
        None
    }

    /// Rows that are told together, and so come late together: of what, and when. None: it comes by itself, and late even if
    /// that is after all that was planned.
    fn told_together(&self) -> Option<(Id, At)> {
        None
    }

    /// The row, delivered some hours late.
    fn late(&self, _hours: i64) -> Option<Self> {
        None
    }

    /// Another row like it, of a parent that nobody knows.
    fn orphan(&self) -> Option<Self> {
        None
    }

    /// Another row like it, in no currency.
    fn in_no_currency(&self) -> Option<Self> {
        None
    }
}

/// A row as it is written, and the defect that it has.
pub type Spoilt<R> = (R, Option<DefectRow>);

/// Which defects there are.
#[derive(Clone, Copy, Debug)]
pub struct Dirt {
    /// The history's seed.
    pub seed: u64,
    /// By then all is heard of that money depends on.
    pub end: At,
}

impl Dirt {
    /// Whether rows told together are late, and by how many hours. Events of one instant keep their order, as what is in force
    /// after it follows from that.
    fn together(self, table: usize, of: Id, at: At) -> (bool, i64) {
        let [customer, n, _] = of.parts();
        let part = (table as u64) << 58 ^ 1 << 57 ^ u64::from(n) << 40 ^ at.0 as u64;
        let mut dice = Dice::new(self.seed, Stream::Dirt, customer.into(), part);
        let (late, hours) = (dice.chance(SHARES[1]), dice.whole(1, 73));
        (late && later(at, hours) < self.end, hours)
    }
}

/// The rows to write for a row, spoilt or not, whatever the window.
pub fn spoil<R: Spoilable>(dirt: Dirt, row: &R) -> Vec<Spoilt<R>> {
    let Some(key) = row.key() else {
        return vec![(row.clone(), None)];
    };
    let [customer, n, m] = key.parts();
    let part = (R::TABLE as u64) << 58 ^ u64::from(n) << 29 ^ u64::from(m);
    let mut dice = Dice::new(dirt.seed, Stream::Dirt, customer.into(), part);
    let [twice, late, orphan, currency] = SHARES.map(|share| dice.chance(share));
    let hours = dice.whole(1, 73);
    let defect = |row: &R, kind, fate| {
        let raw_table = TABLES[R::TABLE].name;
        let record_id = row.key().map_or_else(String::new, |id| id.to_string());
        Some(DefectRow {
            defect_id: format!("{raw_table}:{record_id}:{kind}").into(),
            raw_table,
            record_id: record_id.into(),
            kind,
            fate,
            updated_at: row.cursor(),
        })
    };
    let (late, by) = match row.told_together() {
        Some((of, at)) => dirt.together(R::TABLE, of, at),
        None => (late, hours),
    };
    let late = if late { row.late(by) } else { None };
    let is_late = late.is_some();
    let row = late.unwrap_or_else(|| row.clone());
    let mut out = Vec::new();
    let mut more = |spoilt: Option<R>, kind, fate| {
        if let Some(spoilt) = spoilt {
            let told = defect(&spoilt, kind, fate);
            out.push((spoilt, told));
        }
    };
    more(
        row.again(hours).filter(|_| twice),
        "duplicate",
        "deduplicated",
    );
    more(row.orphan().filter(|_| orphan), "orphan", "rejected");
    more(
        row.in_no_currency().filter(|_| currency),
        "bad_currency",
        "rejected",
    );
    let told = if is_late {
        defect(&row, "late", "accepted")
    } else {
        None
    };
    out.push((row, told));
    out
}

fn later(at: At, hours: i64) -> At {
    at.plus(hours * HOUR)
}

/// What a row of another kind is never: its key and defects stay the defaults.
macro_rules! clean {
    ($($row:ty),+) => { $(impl Spoilable for $row {})+ };
}
clean!(
    CustomerRow,
    UserRow,
    MethodRow,
    SubscriptionRow,
    DiscountRow,
    CreditNoteRow,
    DunningRow,
    DisputeRow,
    SessionRow,
    CustomerTraitRow,
    SubscriptionTraitRow
);

impl Spoilable for SubscriptionEventRow {
    fn key(&self) -> Option<Id> {
        Some(self.event_id)
    }

    fn again(&self, hours: i64) -> Option<Self> {
        let received_at = later(self.received_at, hours);
        Some(Self {
            received_at,
            ..self.clone()
        })
    }

    fn told_together(&self) -> Option<(Id, At)> {
        Some((self.subscription_id, self.received_at))
    }

    fn late(&self, hours: i64) -> Option<Self> {
        self.again(hours)
    }

    fn orphan(&self) -> Option<Self> {
        Some(Self {
            event_id: self.event_id.with_prefix("se_orphan"),
            subscription_id: self.subscription_id.with_prefix("sub_gone"),
            ..self.clone()
        })
    }
}

impl Spoilable for ChurnRow {
    fn key(&self) -> Option<Id> {
        Some(self.event_id)
    }

    fn again(&self, hours: i64) -> Option<Self> {
        let received_at = later(self.received_at, hours);
        Some(Self {
            received_at,
            ..self.clone()
        })
    }

    fn told_together(&self) -> Option<(Id, At)> {
        Some((self.subscription_id, self.received_at))
    }

    fn late(&self, hours: i64) -> Option<Self> {
        self.again(hours)
    }
}

impl Spoilable for ProductEventRow {
    fn key(&self) -> Option<Id> {
        Some(self.event_id)
    }

    fn again(&self, hours: i64) -> Option<Self> {
        let received_at = later(self.received_at, hours);
        Some(Self {
            received_at,
            ..self.clone()
        })
    }

    fn late(&self, hours: i64) -> Option<Self> {
        self.again(hours)
    }

    fn orphan(&self) -> Option<Self> {
        Some(Self {
            event_id: self.event_id.with_prefix("pe_orphan"),
            user_id: self.user_id.with_prefix("us_gone"),
            ..self.clone()
        })
    }
}

impl Spoilable for LineRow {
    fn key(&self) -> Option<Id> {
        Some(self.line_id)
    }

    fn again(&self, _hours: i64) -> Option<Self> {
        Some(self.clone())
    }

    fn orphan(&self) -> Option<Self> {
        Some(Self {
            line_id: self.line_id.with_prefix("il_orphan"),
            invoice_id: self.invoice_id.with_prefix("in_gone"),
            ..self.clone()
        })
    }
}

impl Spoilable for InvoiceRow {
    fn key(&self) -> Option<Id> {
        Some(self.invoice_id)
    }

    fn orphan(&self) -> Option<Self> {
        Some(Self {
            invoice_id: self.invoice_id.with_prefix("in_orphan"),
            subscription_id: self.subscription_id.with_prefix("sub_gone"),
            ..self.clone()
        })
    }

    fn in_no_currency(&self) -> Option<Self> {
        Some(Self {
            invoice_id: self.invoice_id.with_prefix("in_xxx"),
            currency: NO_CURRENCY,
            ..self.clone()
        })
    }
}

impl Spoilable for AttemptRow {
    fn key(&self) -> Option<Id> {
        Some(self.attempt_id)
    }

    fn orphan(&self) -> Option<Self> {
        Some(Self {
            attempt_id: self.attempt_id.with_prefix("pa_orphan"),
            invoice_id: self.invoice_id.with_prefix("in_gone"),
            ..self.clone()
        })
    }

    fn in_no_currency(&self) -> Option<Self> {
        Some(Self {
            attempt_id: self.attempt_id.with_prefix("pa_xxx"),
            currency: NO_CURRENCY,
            ..self.clone()
        })
    }
}

impl Spoilable for RefundRow {
    fn key(&self) -> Option<Id> {
        Some(self.refund_id)
    }

    fn orphan(&self) -> Option<Self> {
        Some(Self {
            refund_id: self.refund_id.with_prefix("re_orphan"),
            attempt_id: self.attempt_id.with_prefix("pa_gone"),
            ..self.clone()
        })
    }

    fn in_no_currency(&self) -> Option<Self> {
        Some(Self {
            refund_id: self.refund_id.with_prefix("re_xxx"),
            currency: NO_CURRENCY,
            ..self.clone()
        })
    }
}
