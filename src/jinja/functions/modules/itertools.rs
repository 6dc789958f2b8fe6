//! `modules.itertools`: the finite functions, as lists.

use minijinja::value::{Kwargs, Tuple, Value, from_args};
use minijinja::{Error, State};

use super::{Module, none};
use crate::jinja::error::fail;
use crate::jinja::value::List;

/// More results than this are taken for a mistake.
const MAX_RESULTS: usize = 1_000_000;

/// `modules.itertools`.
pub(super) fn module() -> Value {
    Value::from_object(Module {
        name: "itertools",
        functions: &[
            ("chain", chain),
            ("product", product),
            ("combinations", |_, args| choose(args, combinations)),
            ("combinations_with_replacement", |_, args| {
                choose(args, with_replacement)
            }),
            ("permutations", permutations),
            ("zip_longest", zip_longest),
            ("islice", islice),
            ("repeat", repeat),
            ("compress", compress),
            ("accumulate", accumulate),
        ],
        constants: none,
        constructor: None,
    })
}

fn items(value: &Value) -> Result<Vec<Value>, Error> {
    Ok(value.try_iter()?.collect())
}

fn tuple(items: Vec<Value>) -> Value {
    Value::from(Tuple::from(items))
}

fn positional(args: &[Value]) -> impl Iterator<Item = &Value> {
    args.iter().filter(|v| !v.is_kwargs())
}

fn chain(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let mut all = Vec::new();
    for list in positional(args) {
        all.extend(list.try_iter()?);
    }
    Ok(List::value(all))
}

fn product(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let kwargs = match args.last().filter(|v| v.is_kwargs()) {
        Some(kwargs) => Kwargs::try_from(kwargs.clone())?,
        None => Kwargs::from_iter(std::iter::empty::<(&str, Value)>()),
    };
    let times = kwargs.get::<Option<usize>>("repeat")?.unwrap_or(1);
    let lists: Vec<Vec<Value>> = positional(args).map(items).collect::<Result<_, _>>()?;
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for _ in 0..times {
        for list in &lists {
            if rows.len().saturating_mul(list.len()) > MAX_RESULTS {
                return Err(fail("itertools.product() gives too many rows"));
            }
            rows = rows
                .iter()
                .flat_map(|row| {
                    list.iter()
                        .map(|item| [row.as_slice(), std::slice::from_ref(item)].concat())
                })
                .collect();
        }
    }
    Ok(List::value(rows.into_iter().map(tuple).collect()))
}

type Choose = fn(&[Value], usize, &mut Vec<Value>, &mut Vec<Value>);

fn choose(args: &[Value], pick: Choose) -> Result<Value, Error> {
    let (list, size): (Value, usize) = from_args(args)?;
    let mut found = Vec::new();
    pick(&items(&list)?, size, &mut Vec::new(), &mut found);
    Ok(List::value(found))
}

fn combinations(rest: &[Value], size: usize, chosen: &mut Vec<Value>, found: &mut Vec<Value>) {
    if size == 0 || found.len() > MAX_RESULTS {
        found.push(tuple(chosen.clone()));
        return;
    }
    for (at, item) in rest.iter().enumerate() {
        chosen.push(item.clone());
        combinations(&rest[at + 1..], size - 1, chosen, found);
        chosen.pop();
    }
}

fn with_replacement(rest: &[Value], size: usize, chosen: &mut Vec<Value>, found: &mut Vec<Value>) {
    if size == 0 || found.len() > MAX_RESULTS {
        found.push(tuple(chosen.clone()));
        return;
    }
    for (at, item) in rest.iter().enumerate() {
        chosen.push(item.clone());
        with_replacement(&rest[at..], size - 1, chosen, found);
        chosen.pop();
    }
}

fn permutations(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (list, size): (Value, Option<usize>) = from_args(args)?;
    let list = items(&list)?;
    let size = size.unwrap_or(list.len());
    let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..size {
        if rows.len().saturating_mul(list.len()) > MAX_RESULTS {
            return Err(fail("itertools.permutations() gives too many rows"));
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                let free = (0..list.len()).filter(move |at| !row.contains(at));
                free.map(move |at| [row.as_slice(), &[at]].concat())
            })
            .collect();
    }
    let row = |row: Vec<usize>| tuple(row.into_iter().map(|at| list[at].clone()).collect());
    Ok(List::value(rows.into_iter().map(row).collect()))
}

fn zip_longest(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let fill = match args.last().filter(|v| v.is_kwargs()) {
        Some(kwargs) => Kwargs::try_from(kwargs.clone())?.get::<Option<Value>>("fillvalue")?,
        None => None,
    };
    let fill = fill.unwrap_or_else(|| Value::from(()));
    let lists: Vec<Vec<Value>> = positional(args).map(items).collect::<Result<_, _>>()?;
    let len = lists.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |list: &Vec<Value>, at: usize| list.get(at).cloned().unwrap_or_else(|| fill.clone());
    let row = |at: usize| tuple(lists.iter().map(|list| cell(list, at)).collect());
    Ok(List::value((0..len).map(row).collect()))
}

fn islice(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (list, first, second, step): (Value, Value, Option<Value>, Option<usize>) =
        from_args(args)?;
    let (start, stop) = match second {
        None => (0, first.as_usize()),
        Some(stop) => (first.as_usize().unwrap_or(0), stop.as_usize()),
    };
    let taken = list
        .try_iter()?
        .take(stop.unwrap_or(MAX_RESULTS))
        .skip(start);
    Ok(List::value(
        taken.step_by(step.unwrap_or(1).max(1)).collect(),
    ))
}

fn repeat(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (item, times): (Value, Option<usize>) = from_args(args)?;
    let Some(times) = times.filter(|t| *t <= MAX_RESULTS) else {
        return Err(fail("itertools.repeat() needs a number of times"));
    };
    Ok(List::value(vec![item; times]))
}

fn compress(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (list, selectors): (Value, Value) = from_args(args)?;
    let kept = list
        .try_iter()?
        .zip(selectors.try_iter()?)
        .filter(|(_, keep)| keep.is_true());
    Ok(List::value(kept.map(|(item, _)| item).collect()))
}

fn accumulate(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (list,): (Value,) = from_args(args)?;
    let mut sums: Vec<Value> = Vec::new();
    for item in list.try_iter()? {
        let next = match sums.last() {
            Some(sum) => state.apply_filter("__add", &[sum.clone(), item])?,
            None => item,
        };
        sums.push(next);
    }
    Ok(List::value(sums))
}
