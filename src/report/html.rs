//! One HTML file that needs no network: the verdict, what failed, changes, the time line and
//! all nodes. Everything that came from outside is escaped where it is written.

use std::fmt::Write as _;
use std::path::Path;

use super::details::rows_shown;
use super::digest::{Digest, Item, Notice, Publication};
use super::format::{count, duration, many_lines, shorten, thousands};
use super::lineage::Lineage;
use super::markdown::by_key;
use super::places::Places;
use super::style::Tone;
use super::timeline::{critical_path, span};
use super::wording::relations;
use crate::event::{Change, Sample, Status};

const STYLE: &str = include_str!("html.css");
const SCRIPT: &str = include_str!("html.js");
/// The longest value of a sample that is shown.
const CELL: usize = 2_000;
/// Failures shown in full; the table of nodes has all.
const CARDS: usize = 200;

/// The whole page.
pub(super) fn html(digest: &Digest, lineage: &Lineage, places: &Places) -> String {
    let mut page = String::with_capacity(64 * 1024);
    head(&mut page, digest);
    facts(&mut page, digest);
    problems(&mut page, digest, places);
    failures(&mut page, digest, places);
    changes(&mut page, &digest.changes);
    warnings(&mut page, digest, places);
    timeline(&mut page, digest, lineage);
    nodes(&mut page, digest, places);
    foot(&mut page, digest);
    page
}

fn head(page: &mut String, digest: &Digest) {
    let title = esc(&super::markdown::verdict_line(digest));
    let (tone, word) = digest.tally().verdict();
    let command = match digest.command.as_str() {
        "" => "marts".to_owned(),
        command => format!("marts {}", esc(command)),
    };
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
         'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style></head>\n<body><main>\n<h1>{command} {}</h1>\n<p>{}</p>\n",
        badge(tone, word),
        esc(&digest.tally().said())
    );
}

fn badge(tone: Tone, word: &str) -> String {
    let class = match tone {
        Tone::Good => " good",
        Tone::Caution => " warn",
        Tone::Bad => " bad",
        _ => "",
    };
    format!("<span class=\"badge{class}\">{}</span>", esc(word))
}

fn facts(page: &mut String, digest: &Digest) {
    let tally = digest.tally();
    let mut facts = vec![
        ("", "time", duration(digest.elapsed)),
        ("", "built", thousands(tally.built)),
        ("", "tests passed", thousands(tally.passed)),
        ("", "failed", thousands(tally.failed + tally.errors)),
        ("", "skipped", thousands(tally.skipped + tally.cancelled)),
    ];
    if digest.published.0 > 0 {
        facts.push(("", "published", relations(digest.published.0)));
    }
    if !digest.target.is_empty() {
        facts.push(("small", "target", digest.target.clone()));
    }
    let began = digest.began.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    facts.push(("small", "began", began));
    page.push_str("<div class=\"facts\">");
    for (class, name, value) in facts {
        let _ = write!(
            page,
            "<div class=\"{class}\"><b>{}</b><span>{name}</span></div>",
            esc(&value)
        );
    }
    page.push_str("</div>\n");
}

fn problems(page: &mut String, digest: &Digest, places: &Places) {
    for notice in &digest.problems {
        let _ = writeln!(
            page,
            "<section class=\"card b\"><h3>{}{}</h3>{}<pre>{}</pre></section>",
            badge(Tone::Bad, "error"),
            esc(&notice.title),
            at(notice, places),
            esc(&notice.text)
        );
    }
    for (reason, nodes, failed) in &digest.unpublished {
        let (class, tone, word) = if *failed {
            ("b", Tone::Bad, "publishing failed")
        } else {
            ("w", Tone::Caution, "not published")
        };
        let _ = writeln!(
            page,
            "<section class=\"card {class}\"><h3>{}{}</h3><p>What readers see is as it was before \
             this run.</p><pre>{}</pre></section>",
            badge(tone, word),
            relations(*nodes),
            esc(reason)
        );
    }
}

fn at(notice: &Notice, places: &Places) -> String {
    match &notice.file {
        Some(file) => format!("<p>{}</p>", link(file, notice.line, places)),
        None => String::new(),
    }
}

fn failures(page: &mut String, digest: &Digest, places: &Places) {
    let failures: Vec<&Item> = digest
        .failures()
        .into_iter()
        .chain(digest.ended(Status::Warn))
        .filter(|item| !matches!(item.publication, Publication::Failed(_)))
        .collect();
    if failures.is_empty() {
        return;
    }
    page.push_str("<h2>What went wrong</h2>\n");
    for item in failures.iter().take(CARDS) {
        card(page, item, places);
    }
    if failures.len() > CARDS {
        let more = count((failures.len() - CARDS) as u64, "more node");
        let _ = writeln!(page, "<p class=\"soft\">and {more}, in the table below</p>");
    }
}

fn card(page: &mut String, item: &Item, places: &Places) {
    let outcome = &item.outcome;
    let (class, tone) = match outcome.status {
        Status::Warn => ("w", Tone::Caution),
        _ => ("b", Tone::Bad),
    };
    let _ = write!(
        page,
        "<section class=\"card {class}\"><h3>{}{} <span class=\"soft\">{}</span></h3><dl>",
        badge(tone, item.word()),
        esc(item.name()),
        esc(&item.kind)
    );
    let is_verdict = matches!(outcome.status, Status::Fail | Status::Warn);
    let mut fact = |name: &str, value: &str| {
        let _ = write!(page, "<dt>{name}</dt><dd>{value}</dd>");
    };
    if let Some(expected) = &outcome.expected {
        fact("expected", &esc(expected));
    }
    if let Some(thresholds) = &outcome.thresholds {
        fact("thresholds", &esc(thresholds));
    }
    if let Some(failures) = outcome.failures.filter(|_| is_verdict) {
        let shown = outcome.sample.as_ref().map_or(0, |s| s.rows.len());
        let found = if shown == 0 {
            count(failures, "row")
        } else {
            rows_shown(failures, shown)
        };
        fact("found", &esc(&found));
    }
    if let Some(file) = &outcome.file {
        fact("declared in", &link(file, outcome.line, places));
    }
    if let Some(path) = &outcome.compiled_path {
        fact(
            "compiled SQL",
            &format!("<code>{}</code>", esc(&places.path(path))),
        );
    }
    if let Some(relation) = &outcome.relation {
        fact("relation", &format!("<code>{}</code>", esc(relation)));
    }
    page.push_str("</dl>");
    if let Some(sample) = outcome.sample.as_ref().filter(|s| !s.rows.is_empty()) {
        table(page, sample);
    }
    if let Some(message) = item.message() {
        let _ = write!(page, "<pre>{}</pre>", esc(&shorten(&message, 20_000)));
    }
    page.push_str("</section>\n");
}

fn table(page: &mut String, sample: &Sample) {
    page.push_str("<div class=\"scroll\"><table class=\"sample\"><tr>");
    for column in &sample.columns {
        let _ = write!(page, "<th>{}</th>", esc(column));
    }
    page.push_str("</tr>");
    for row in &sample.rows {
        page.push_str("<tr>");
        for value in row {
            let _ = match value {
                None => write!(page, "<td><span class=\"null\">NULL</span></td>"),
                Some(value) => write!(page, "<td>{}</td>", esc(&shorten(value, CELL))),
            };
        }
        page.push_str("</tr>");
    }
    page.push_str("</table></div>");
}

fn changes(page: &mut String, changes: &[Change]) {
    if changes.is_empty() {
        return;
    }
    page.push_str(
        "<h2>Changes</h2><div class=\"scroll\"><table><tr><th>relation</th><th></th>\
         <th class=\"n\">rows now</th><th class=\"n\">rows then</th><th class=\"n\">by key</th>\
         <th>columns and notes</th></tr>\n",
    );
    for change in changes {
        let (now, then) = match change.rows {
            Some((now, then)) => (thousands(now), thousands(then)),
            None => (String::new(), String::new()),
        };
        let tone = match change.kind.as_str() {
            "same" => Tone::Plain,
            "orphan" => Tone::Caution,
            _ => Tone::Good,
        };
        let said = change.columns.iter().chain(&change.notes);
        let said: Vec<String> = said.map(|text| esc(text)).collect();
        let _ = writeln!(
            page,
            "<tr><td class=\"name\">{}</td><td>{}</td><td class=\"n\">{now}</td>\
             <td class=\"n\">{then}</td><td class=\"n\">{}</td><td>{}</td></tr>",
            esc(&change.relation),
            badge(tone, &change.kind),
            change.by_key.map(by_key).unwrap_or_default(),
            said.join("<br>")
        );
    }
    page.push_str("</table></div>\n");
}

fn warnings(page: &mut String, digest: &Digest, places: &Places) {
    if digest.warnings.is_empty() {
        return;
    }
    let number = count(digest.warnings.len() as u64, "warning");
    let _ = write!(page, "<h2>{number} beside the nodes</h2>");
    for notice in digest.warnings.iter().take(CARDS) {
        let _ = writeln!(
            page,
            "<details class=\"card w\"><summary>{}</summary>{}<pre>{}</pre></details>",
            esc(&notice.title),
            at(notice, places),
            esc(&notice.text)
        );
    }
}

fn timeline(page: &mut String, digest: &Digest, lineage: &Lineage) {
    let path = critical_path(digest, lineage);
    if path.is_empty() {
        return;
    }
    page.push_str("<h2>Time line</h2><div class=\"lanes\">\n");
    let lanes = digest.items.iter().map(|item| item.lane).max().unwrap_or(0);
    for lane in 0..=lanes {
        page.push_str("<div class=\"lane\">");
        for item in digest.items.iter().filter(|item| item.lane == lane) {
            let on_path = path.iter().any(|on| on.node == item.node);
            bar(page, digest, item, on_path);
        }
        page.push_str("</div>\n");
    }
    let _ = writeln!(
        page,
        "<div class=\"axis\"><span>0</span><span class=\"key\"><i class=\"p\"></i>critical path\
         <i></i>other nodes<i class=\"f\"></i>failed</span><span>{}</span></div></div>",
        duration(digest.elapsed)
    );
    let _ = writeln!(
        page,
        "<h3 style=\"margin-top:18px\">Critical path: {} of {}</h3><div class=\"chain\">",
        count(path.len() as u64, "node"),
        thousands(digest.items.len() as u64)
    );
    for item in path {
        let (left, width) = span(digest, item).unwrap_or_default();
        let _ = writeln!(
            page,
            "<div><span title=\"{0}\">{0}</span><div class=\"track\"><i style=\"left:{left:.2}%;\
             width:{width:.2}%\"></i></div><b class=\"mono\">{1}</b></div>",
            esc(&item.label),
            duration(item.outcome.elapsed)
        );
    }
    page.push_str("</div>\n");
}

fn bar(page: &mut String, digest: &Digest, item: &Item, on_path: bool) {
    let Some((left, width)) = span(digest, item) else {
        return;
    };
    let class = match (item.is_bad(), on_path) {
        (true, _) => "f",
        (false, true) => "p",
        (false, false) => "",
    };
    let _ = write!(
        page,
        "<i class=\"{class}\" style=\"left:{left:.2}%;width:{width:.2}%\" title=\"{} {}\"></i>",
        esc(&item.label),
        duration(item.outcome.elapsed)
    );
}

fn nodes(page: &mut String, digest: &Digest, places: &Places) {
    if digest.items.is_empty() {
        return;
    }
    let all = digest.items.len();
    let _ = write!(
        page,
        "<h2>All nodes</h2><div class=\"tools\"><input id=\"q\" type=\"search\" \
         placeholder=\"filter by words\" aria-label=\"filter by words\"><select id=\"st\" \
         aria-label=\"status\"><option value=\"\">every status</option>"
    );
    let mut words: Vec<&str> = digest.items.iter().map(Item::word).collect();
    words.sort_unstable();
    words.dedup();
    for word in words {
        let _ = write!(page, "<option>{word}</option>");
    }
    let _ = write!(
        page,
        "</select><span class=\"soft\" id=\"shown\">{all} of {all}</span></div>\n\
         <div class=\"scroll\"><table id=\"nodes\"><thead><tr><th>status</th><th>node</th>\
         <th class=\"wide\">kind</th><th class=\"n\">rows</th><th class=\"n\">time</th>\
         <th class=\"wide\">file</th></tr></thead><tbody>\n"
    );
    for item in &digest.items {
        row(page, item, places);
    }
    page.push_str("</tbody></table></div>\n");
}

fn row(page: &mut String, item: &Item, places: &Places) {
    let outcome = &item.outcome;
    let tone = match (item.word(), outcome.status) {
        ("not published", _) | (_, Status::Fail | Status::Error) => Tone::Bad,
        (_, Status::Warn) => Tone::Caution,
        (_, Status::Success | Status::Pass) => Tone::Good,
        _ => Tone::Plain,
    };
    let rows = if item.is_test() {
        outcome.failures
    } else {
        outcome.rows
    };
    let shown = rows.map(thousands).unwrap_or_default();
    let took = match item.started {
        Some(_) => duration(outcome.elapsed),
        None => String::new(),
    };
    let why = match outcome.status {
        Status::Success | Status::Pass => match &item.publication {
            Publication::HeldBack(_) => "built, not published".to_owned(),
            Publication::Published => "published".to_owned(),
            Publication::Failed(reason) => reason.clone(),
            Publication::Untold => String::new(),
        },
        _ => item.reason(),
    };
    let why = if why.is_empty() {
        String::new()
    } else {
        format!(
            "<br><span class=\"soft\">{}</span>",
            esc(&shorten(&why, 300))
        )
    };
    let file = outcome.file.as_deref();
    let file = file.map(|file| link(file, outcome.line, places));
    let _ = writeln!(
        page,
        "<tr data-s=\"{}\"><td>{}</td><td class=\"name\">{}{why}</td><td class=\"wide\">{}</td>\
         <td class=\"n\" data-v=\"{}\">{shown}</td><td class=\"n\" data-v=\"{:.6}\">{}</td>\
         <td class=\"wide name\">{}</td></tr>",
        item.word(),
        badge(tone, item.word()),
        esc(&item.label),
        esc(&item.kind),
        rows.map_or(-1, |rows| i64::try_from(rows).unwrap_or(i64::MAX)),
        outcome.elapsed.as_secs_f64(),
        took,
        file.unwrap_or_default()
    );
}

fn foot(page: &mut String, digest: &Digest) {
    let mut facts = Vec::new();
    if !digest.run_id.is_empty() {
        facts.push(format!("run {}", esc(&digest.run_id)));
    }
    if let Some((seq, head)) = &digest.ledger {
        facts.push(format!(
            "ledger entry {seq}, head <code>{}</code> (marts audit verify --head checks it)",
            esc(head)
        ));
    }
    let _ = write!(
        page,
        "<footer>{}<br>Written by marts {}.</footer>\n</main>\n<script>\n{SCRIPT}</script>\n\
         </body></html>\n",
        facts.join("<br>"),
        env!("CARGO_PKG_VERSION")
    );
}

/// A file with its line: a link where the forge is known, else its name.
fn link(file: &Path, line: Option<usize>, places: &Places) -> String {
    let path = places.path(file);
    let line_text = line.map(|line| format!(":{line}")).unwrap_or_default();
    let shown = format!("<code>{}{line_text}</code>", esc(&path));
    match places.is_linked() {
        true => format!("<a href=\"{}\">{shown}</a>", esc(&places.link(file, line))),
        false => shown,
    }
}

/// Text in HTML: between tags and in double-quoted attributes. Control characters and those that
/// turn the direction of writing are shown, not obeyed; line ends stay.
fn esc(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in many_lines(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
