//! Mappings that are put together while they are written.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::mpsc::sync_channel;

use indexmap::IndexMap;
use rayon::prelude::*;
use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value as Json};

/// Makes the key and value at an index.
type Make<'a, T> = Box<dyn Fn(usize) -> (Cow<'a, str>, T) + Sync + 'a>;

/// How many entries are put into text before any of them is written.
const AHEAD: usize = 512;

/// A mapping of which each entry is made when it is written, on all cores.
pub struct Entries<'a, T> {
    count: usize,
    make: Make<'a, T>,
}

impl<'a, T> Entries<'a, T> {
    /// `make` gives the entry at each index below `count`.
    pub fn new(count: usize, make: impl Fn(usize) -> (Cow<'a, str>, T) + Sync + 'a) -> Self {
        Self {
            count,
            make: Box::new(make),
        }
    }
}

impl<T> fmt::Debug for Entries<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entries({})", self.count)
    }
}

impl<T: Serialize> Entries<'_, T> {
    /// The entries of a range as text, made on all cores.
    fn texts(&self, range: Range<usize>) -> serde_json::Result<Vec<(Cow<'_, str>, Box<RawValue>)>> {
        let texts = range.into_par_iter().map(|index| {
            let (key, value) = (self.make)(index);
            to_raw_value(&value).map(|text| (key, text))
        });
        texts.collect()
    }
}

impl<T: Serialize> Serialize for Entries<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.count))?;
        let some = |start: usize| start..self.count.min(start + AHEAD);
        if self.count <= AHEAD {
            for (key, text) in self.texts(some(0)).map_err(S::Error::custom)? {
                map.serialize_entry(&key, &text)?;
            }
            return map.end();
        }
        // While some are written, the next ones are made.
        std::thread::scope(|scope| {
            let (made, next) = sync_channel(1);
            scope.spawn(move || {
                let mut starts = (0..self.count).step_by(AHEAD);
                starts.try_for_each(|start| made.send(self.texts(some(start))))
            });
            for texts in next {
                for (key, text) in texts.map_err(S::Error::custom)? {
                    map.serialize_entry(&key, &text)?;
                }
            }
            map.end()
        })
    }
}

/// A mapping of defaults with other values over them: keys of the defaults first, in their
/// order.
#[derive(Clone, Debug)]
pub struct Overlay<'a> {
    /// The defaults.
    pub under: &'a Map<String, Json>,
    /// What was configured, keys as written.
    pub over: &'a IndexMap<String, Json>,
    /// Values that win over both.
    pub top: Vec<(&'static str, Json)>,
}

impl Overlay<'_> {
    /// The configured key for a default's key: hooks may be written with an underscore.
    fn written(&self, key: &str) -> Option<&Json> {
        self.over.get(key).or_else(|| match key {
            "pre-hook" => self.over.get("pre_hook"),
            "post-hook" => self.over.get("post_hook"),
            _ => None,
        })
    }
}

impl Serialize for Overlay<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, default) in self.under {
            let top = self.top.iter().find(|(name, _)| name == key);
            let value = top.map(|(_, value)| value);
            map.serialize_entry(key, value.or(self.written(key)).unwrap_or(default))?;
        }
        for (key, value) in self.over {
            let shown = matches!(key.as_str(), "pre_hook" | "post_hook");
            if !shown && !self.under.contains_key(key) {
                map.serialize_entry(key, value)?;
            }
        }
        map.end()
    }
}
