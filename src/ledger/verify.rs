//! Recomputes the chain from the first entry to the last and says what is wrong with it.
//! Entries are read in pages, so a long ledger takes no more memory than a short one.

use super::SCHEMA;
use super::append::Head;
use super::chain::{self, Fields};
use crate::session::{Session, SessionError};

/// Entries that are read at once.
const PAGE: usize = 5000;
/// So many problems are kept whole; the rest is counted.
const KEPT: usize = 100;

/// Something that marts did not write as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of.
    pub what: Wrong,
    /// The entry's number; of several missing ones the first.
    pub seq: i64,
    /// The run of that entry, where it is there to say so.
    pub run_id: Option<String>,
    /// Its node.
    pub node: Option<String>,
}

/// What can be wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Its columns do not give its hash.
    Edited,
    /// It names another hash as the one before than that entry has.
    DoesNotFollow,
    /// It and those up to this number are not there.
    Missing {
        /// The last of them.
        to: i64,
    },
    /// It stands behind the entry that the head names, or before the first.
    Inserted,
    /// The head names this entry as the last, and its hash is another.
    HeadDiffers,
    /// The head's row is not there.
    HeadMissing,
    /// No entry has the hash that was asked for: the chain was cut off before it or made anew.
    NotInChain {
        /// That hash.
        hash: String,
    },
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Entries that are there.
    pub entries: u64,
    /// The last one.
    pub head: Option<Head>,
    /// What is wrong, the first hundred.
    pub problems: Vec<Problem>,
    /// How many problems there are.
    pub count: u64,
    /// The entry whose hash was asked for.
    pub asked: Option<i64>,
}

/// Reads the whole ledger as it stands at one moment. `expected` is a head that an earlier run
/// told, as hexadecimal digits in lower case; without it, a chain whose end was cut off
/// together with its head cannot be told from one that never was longer.
pub async fn verify(
    session: &dyn Session,
    expected: Option<&str>,
) -> Result<Verdict, SessionError> {
    session
        .execute("begin isolation level repeatable read read only".into())
        .await?;
    let read = read_all(session, expected).await;
    let _ = session.execute("rollback".into()).await;
    read
}

async fn read_all(session: &dyn Session, expected: Option<&str>) -> Result<Verdict, SessionError> {
    let head = session
        .query(&format!(
            "select seq, encode(hash, 'hex') from {SCHEMA}.head limit 1"
        ))
        .await?;
    let head = head.rows.into_iter().next().and_then(|row| {
        let mut cells = row.into_iter();
        let seq: i64 = cells.next().flatten()?.parse().ok()?;
        Some((seq, cells.next().flatten()?))
    });
    let mut checker = Checker::new(head, expected);
    let list = chain::select_list();
    let mut last: Option<i64> = None;
    loop {
        let from = last.map_or(String::new(), |seq| format!("where seq > {seq}"));
        let page = session
            .query(&format!(
                "select {list}, encode(hash, 'hex') from {SCHEMA}.entry {from} order by \
                 entry.seq limit {PAGE}"
            ))
            .await?;
        let count = page.rows.len();
        for row in page.rows {
            last = checker.row(row).or(last);
        }
        if count < PAGE {
            return Ok(checker.end());
        }
    }
}

/// The state of a walk along the chain.
struct Checker<'a> {
    head: Option<(i64, String)>,
    expected: Option<&'a str>,
    next: i64,
    before: Option<String>,
    verdict: Verdict,
}

impl<'a> Checker<'a> {
    fn new(head: Option<(i64, String)>, expected: Option<&'a str>) -> Self {
        Self {
            head,
            expected,
            next: 1,
            before: Some(chain::GENESIS.to_owned()),
            verdict: Verdict::default(),
        }
    }

    /// Takes the next entry: its fields and its hash. Gives its number.
    fn row(&mut self, mut row: Vec<Option<String>>) -> Option<i64> {
        const SEQ: usize = chain::at("seq");
        const PREVIOUS: usize = chain::at("prev_hash");
        let stored = row.pop().flatten().unwrap_or_default();
        let fields: Fields = row.try_into().ok()?;
        let seq: i64 = fields[SEQ].as_deref()?.parse().ok()?;
        self.verdict.entries += 1;
        let beyond = self.head.as_ref().is_some_and(|(last, _)| seq > *last);
        if seq < 1 || beyond {
            self.problem(Wrong::Inserted, seq, Some(&fields));
        } else if seq > self.next {
            self.missing(seq - 1);
        }
        let follows = fields[PREVIOUS] == self.before;
        if chain::hash(&fields) != stored {
            self.problem(Wrong::Edited, seq, Some(&fields));
        } else if self.before.is_some() && !follows && seq >= 1 {
            self.problem(Wrong::DoesNotFollow, seq, Some(&fields));
        }
        if self.expected == Some(stored.as_str()) {
            self.verdict.asked = Some(seq);
        }
        if seq >= 1 {
            self.next = seq + 1;
            self.before = Some(stored.clone());
            self.verdict.head = Some(Head {
                seq: seq as u64,
                hash: stored,
            });
        }
        Some(seq)
    }

    /// Entries up to this one are not there; what follows has nothing to follow.
    fn missing(&mut self, to: i64) {
        self.problem(Wrong::Missing { to }, self.next, None);
        self.before = None;
    }

    fn end(mut self) -> Verdict {
        match self.head.clone() {
            None => self.problem(Wrong::HeadMissing, self.next - 1, None),
            Some((last, _)) if last >= self.next => self.missing(last),
            Some((last, hash)) if last == self.next - 1 => {
                let end = self.verdict.head.as_ref();
                let end = end.map_or(chain::GENESIS, |h| h.hash.as_str());
                if end != hash {
                    self.problem(Wrong::HeadDiffers, last, None);
                }
            }
            // What stands behind the head was told as inserted.
            Some(_) => {}
        }
        if let (Some(hash), None) = (self.expected, self.verdict.asked) {
            let hash = hash.to_owned();
            let seq = self.next - 1;
            self.problem(Wrong::NotInChain { hash }, seq, None);
        }
        self.verdict
    }

    fn problem(&mut self, what: Wrong, seq: i64, fields: Option<&Fields>) {
        const RUN: usize = chain::at("run_id");
        const NODE: usize = chain::at("node");
        self.verdict.count += 1;
        if self.verdict.problems.len() < KEPT {
            self.verdict.problems.push(Problem {
                what,
                seq,
                run_id: fields.and_then(|f| f[RUN].clone()),
                node: fields.and_then(|f| f[NODE].clone()),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sound chain of so many entries, as it is read.
    fn chain_of(length: i64) -> Vec<Vec<Option<String>>> {
        let mut before = chain::GENESIS.to_owned();
        let mut rows = Vec::new();
        for seq in 1..=length {
            let mut fields: Fields = Default::default();
            fields[chain::at("seq")] = Some(seq.to_string());
            fields[chain::at("run_id")] = Some(format!("run {seq}"));
            fields[chain::at("prev_hash")] = Some(before);
            before = chain::hash(&fields);
            let mut row = fields.to_vec();
            row.push(Some(before.clone()));
            rows.push(row);
        }
        rows
    }

    fn head_of(rows: &[Vec<Option<String>>]) -> Option<(i64, String)> {
        let hash = rows.last()?.last()?.clone()?;
        Some((rows.len() as i64, hash))
    }

    fn check(
        rows: Vec<Vec<Option<String>>>,
        head: Option<(i64, String)>,
        expected: Option<&str>,
    ) -> Vec<(Wrong, i64)> {
        let mut checker = Checker::new(head, expected);
        for row in rows {
            checker.row(row);
        }
        let verdict = checker.end();
        let problems = verdict.problems.into_iter();
        problems.map(|p| (p.what, p.seq)).collect()
    }

    #[test]
    fn a_sound_chain_has_no_problem() {
        let rows = chain_of(5);
        let head = head_of(&rows);
        let second = rows[1].last().cloned().flatten();
        assert_eq!(check(rows, head, second.as_deref()), []);
        assert_eq!(check(vec![], Some((0, chain::GENESIS.into())), None), []);
    }

    #[test]
    fn an_edited_entry_is_found_alone() {
        let mut rows = chain_of(5);
        let head = head_of(&rows);
        rows[2][chain::at("run_id")] = Some("another".into());
        assert_eq!(check(rows, head, None), [(Wrong::Edited, 3)]);
    }

    #[test]
    fn an_edited_entry_whose_hash_was_made_anew_breaks_the_next() {
        let mut rows = chain_of(5);
        let head = head_of(&rows);
        rows[2][chain::at("run_id")] = Some("another".into());
        let mut fields = rows[2].clone();
        fields.pop();
        let fields: Fields = fields.try_into().unwrap();
        *rows[2].last_mut().unwrap() = Some(chain::hash(&fields));
        assert_eq!(check(rows, head, None), [(Wrong::DoesNotFollow, 4)]);
    }

    #[test]
    fn a_gap_is_told_once_wherever_it_is() {
        for (gone, expected) in [
            (0..1, (Wrong::Missing { to: 1 }, 1)),
            (1..3, (Wrong::Missing { to: 3 }, 2)),
            (4..5, (Wrong::Missing { to: 5 }, 5)),
            (0..5, (Wrong::Missing { to: 5 }, 1)),
        ] {
            let mut rows = chain_of(5);
            let head = head_of(&rows);
            rows.drain(gone);
            assert_eq!(check(rows, head, None), [expected]);
        }
    }

    #[test]
    fn a_tail_cut_off_with_its_head_is_found_by_its_hash_only() {
        let mut rows = chain_of(5);
        let last = rows[4].last().cloned().flatten().unwrap();
        rows.truncate(3);
        let head = head_of(&rows);
        assert_eq!(check(rows.clone(), head.clone(), None), []);
        let wrong = Wrong::NotInChain { hash: last.clone() };
        assert_eq!(check(rows, head, Some(&last)), [(wrong, 3)]);
    }

    #[test]
    fn entries_behind_the_head_and_before_the_first_are_inserted() {
        let rows = chain_of(5);
        let head = head_of(&rows[..4]);
        assert_eq!(check(rows, head, None), [(Wrong::Inserted, 5)]);
        let mut rows = chain_of(2);
        let head = head_of(&rows);
        let mut fields: Fields = Default::default();
        fields[chain::at("seq")] = Some("0".into());
        let mut row = fields.to_vec();
        row.push(Some(chain::hash(&fields)));
        rows.insert(0, row);
        assert_eq!(check(rows, head, None), [(Wrong::Inserted, 0)]);
    }

    #[test]
    fn two_entries_that_changed_places_are_both_found() {
        let mut rows = chain_of(5);
        let head = head_of(&rows);
        rows.swap(1, 2);
        rows[1][chain::at("seq")] = Some("2".into());
        rows[2][chain::at("seq")] = Some("3".into());
        let found = check(rows, head, None);
        assert_eq!(found[..2], [(Wrong::Edited, 2), (Wrong::Edited, 3)]);
    }

    #[test]
    fn a_head_of_another_hash_and_a_lost_head_are_told() {
        let rows = chain_of(2);
        let head = Some((2, chain::GENESIS.to_owned()));
        assert_eq!(check(rows.clone(), head, None), [(Wrong::HeadDiffers, 2)]);
        assert_eq!(check(rows, None, None), [(Wrong::HeadMissing, 2)]);
    }
}
