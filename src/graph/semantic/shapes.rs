//! Parts of semantic models, metrics and saved queries in the shape of dbt's manifest: values in,
//! values out.

use serde_json::{Map, Value as Json, json};

pub(super) fn object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

pub(super) fn text_of(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A value that may stand alone or in a list.
pub(super) fn listed(value: Option<&Json>) -> Vec<Json> {
    match value {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
    }
}

/// A filter as written: a text or a list of texts.
pub(super) fn filter(written: Option<&Json>) -> Json {
    let list = listed(written);
    if list.is_empty() {
        return Json::Null;
    }
    let filters = list
        .iter()
        .map(|text| json!({"where_sql_template": text_of(text)}));
    json!({"where_filters": filters.collect::<Vec<_>>()})
}

/// `28 days` as a count and a grain.
pub(super) fn window(written: &Json) -> Json {
    const GRAINS: [&str; 6] = ["second", "minute", "hour", "day", "week", "month"];
    const LONG: [&str; 2] = ["quarter", "year"];
    let text = text_of(written).to_lowercase();
    let (count, grain) = text.split_once(' ').unwrap_or((text.as_str(), ""));
    let single = grain.strip_suffix('s').unwrap_or(grain);
    let known = GRAINS.contains(&single) || LONG.contains(&single);
    json!({
        "count": count.parse::<u64>().ok(),
        "granularity": if known { single } else { grain },
    })
}

pub(super) fn input_measure(written: &Json) -> Json {
    let of = |key: &str| written.get(key).cloned().unwrap_or(Json::Null);
    let name = written.as_str().map_or_else(|| of("name"), Json::from);
    json!({
        "name": name,
        "filter": filter(written.get("filter")),
        "alias": of("alias"),
        "join_to_timespine": of("join_to_timespine") == Json::Bool(true),
        "fill_nulls_with": of("fill_nulls_with"),
    })
}

pub(super) fn input_metric(written: &Json) -> Json {
    let of = |key: &str| written.get(key).filter(|v| !v.is_null());
    let name = written.as_str().map(Json::from).or(of("name").cloned());
    json!({
        "name": name,
        "filter": filter(of("filter")),
        "alias": of("alias"),
        "offset_window": of("offset_window").map(window),
        "offset_to_grain": of("offset_to_grain"),
    })
}

pub(super) fn conversion(written: &Json) -> Json {
    let of = |key: &str| written.get(key).filter(|v| !v.is_null());
    let calculation = of("calculation").cloned();
    json!({
        "base_measure": of("base_measure").map(input_measure),
        "conversion_measure": of("conversion_measure").map(input_measure),
        "entity": of("entity"),
        "calculation": calculation.unwrap_or_else(|| json!("conversion_rate")),
        "window": of("window").map(window),
        "constant_properties": of("constant_properties"),
    })
}

pub(super) fn cumulative(params: &Json) -> Json {
    let own = params.get("cumulative_type_params");
    let of = |key: &str| {
        let own = own.and_then(|own| own.get(key));
        own.or_else(|| params.get(key)).filter(|v| !v.is_null())
    };
    let period = own.and_then(|own| own.get("period_agg")).cloned();
    json!({
        "window": of("window").map(window),
        "grain_to_date": of("grain_to_date"),
        "period_agg": period.unwrap_or_else(|| json!("first")),
        "metric": null,
    })
}

pub(super) fn entity(written: &Json) -> Map<String, Json> {
    let of = |key: &str| written.get(key).cloned().unwrap_or(Json::Null);
    object(json!({
        "name": of("name"), "type": of("type"), "description": of("description"),
        "label": of("label"), "role": of("role"), "expr": written.get("expr").map(text_of),
    }))
}

pub(super) fn measure(written: &Json) -> Map<String, Json> {
    let of = |key: &str| written.get(key).cloned().unwrap_or(Json::Null);
    let params = written.get("agg_params").filter(|p| p.is_object());
    let params = params.map(|p| {
        let flag = |key: &str| p.get(key) == Some(&Json::Bool(true));
        json!({
            "percentile": p.get("percentile"),
            "use_discrete_percentile": flag("use_discrete_percentile"),
            "use_approximate_percentile": flag("use_approximate_percentile"),
        })
    });
    let additive = written
        .get("non_additive_dimension")
        .filter(|d| d.is_object());
    let additive = additive.map(|d| {
        json!({
            "name": d.get("name"), "window_choice": d.get("window_choice"),
            "window_groupings": listed(d.get("window_groupings")),
        })
    });
    object(json!({
        "name": of("name"), "agg": of("agg"), "description": of("description"),
        "label": of("label"), "create_metric": false,
        "expr": written.get("expr").map(text_of), "agg_params": params,
        "non_additive_dimension": additive, "agg_time_dimension": of("agg_time_dimension"),
    }))
}

pub(super) fn dimension(written: &Json) -> Map<String, Json> {
    let of = |key: &str| written.get(key).cloned().unwrap_or(Json::Null);
    let params = written.get("type_params").filter(|p| p.is_object());
    let params = params.map(|p| {
        let validity = p.get("validity_params").filter(|v| v.is_object()).map(|v| {
            let flag = |key: &str| v.get(key) == Some(&Json::Bool(true));
            json!({"is_start": flag("is_start"), "is_end": flag("is_end")})
        });
        json!({"time_granularity": p.get("time_granularity"), "validity_params": validity})
    });
    object(json!({
        "name": of("name"), "type": of("type"), "description": of("description"),
        "label": of("label"), "is_partition": of("is_partition") == Json::Bool(true),
        "type_params": params, "expr": written.get("expr").map(text_of), "metadata": null,
    }))
}
