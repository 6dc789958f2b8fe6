//! The document as the YAML library gives it: a tree with markers, before our own reading
//! of plain scalars, anchors and merge keys.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, EnumAccess, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use serde_yaml::Spanned;

/// A value with the library's markers (bytes, from 0).
pub(super) struct Raw {
    /// The first byte, or that of the alias.
    pub(super) start: usize,
    /// The first byte of what follows.
    pub(super) end: usize,
    /// The value.
    pub(super) value: RawValue,
}

/// A value as the library reads it.
pub(super) enum RawValue {
    /// A scalar that the library typed, or null.
    Typed(Json),
    /// A scalar that it took for text.
    Text(String),
    /// A list.
    Sequence(Vec<Raw>),
    /// A mapping, duplicates included.
    Mapping(Vec<(Raw, Raw)>),
    /// A value behind a local tag (`!name`), which is not supported.
    Tagged(String),
}

/// The single document of a text; null when there is none.
pub(super) fn load(text: &str) -> Result<Raw, serde_yaml::Error> {
    serde_yaml::set_marker(serde_yaml::Marker::start());
    let raw = Raw::deserialize(serde_yaml::Deserializer::from_str(text));
    serde_yaml::reset_marker();
    raw
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<RawValue>::deserialize(deserializer)?;
        let (start, end) = (spanned.span().start.index(), spanned.span().end.index());
        Ok(Self {
            start,
            end,
            value: spanned.into_inner(),
        })
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<RawValue, E> {
        Ok(RawValue::Typed(Json::Bool(value)))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<RawValue, E> {
        Ok(RawValue::Typed(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<RawValue, E> {
        Ok(RawValue::Typed(value.into()))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<RawValue, E> {
        Ok(RawValue::Text(value.to_string()))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<RawValue, E> {
        Ok(RawValue::Text(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<RawValue, E> {
        Ok(RawValue::Typed(value.into()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<RawValue, E> {
        Ok(RawValue::Text(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<RawValue, E> {
        Ok(RawValue::Text(value))
    }

    fn visit_unit<E: de::Error>(self) -> Result<RawValue, E> {
        Ok(RawValue::Typed(Json::Null))
    }

    fn visit_none<E: de::Error>(self) -> Result<RawValue, E> {
        Ok(RawValue::Typed(Json::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut data: A) -> Result<RawValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = data.next_element()? {
            items.push(item);
        }
        Ok(RawValue::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut data: A) -> Result<RawValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = data.next_entry()? {
            entries.push(entry);
        }
        Ok(RawValue::Mapping(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<RawValue, A::Error> {
        let (tag, contents) = data.variant::<String>()?;
        de::VariantAccess::newtype_variant::<de::IgnoredAny>(contents)?;
        Ok(RawValue::Tagged(tag))
    }
}
