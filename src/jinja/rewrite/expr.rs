//! The precedence parser over a tag's tokens. It builds no tree: it notes what is to be
//! inserted before and after tokens, so that everything else stays byte for byte.

use super::RewriteError;
use super::strings::engine_literal;
use super::token::{Kind, Token};

/// What happens to a token on output.
#[derive(Clone, Default)]
pub(super) struct Edit {
    before: String,
    after: String,
    replace: Option<String>,
}

/// Deeper nesting than this is refused; the engine's own limit is 150 levels.
const MAX_DEPTH: usize = 120;

/// Filters that give sequences of the engine's own, which cannot be appended to.
const LISTING: [&str; 14] = [
    "batch",
    "dictsort",
    "items",
    "list",
    "map",
    "reject",
    "rejectattr",
    "reverse",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "unique",
];

/// Parses the tokens of one tag and collects edits.
pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    edits: Vec<Edit>,
    pos: usize,
    depth: usize,
    is_block: bool,
    /// Where the tag ends, for errors at its end.
    end: usize,
}

type Parsed = Result<(), RewriteError>;

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Token], end: usize) -> Self {
        Self {
            text,
            tokens,
            edits: vec![Edit::default(); tokens.len()],
            pos: 0,
            depth: 0,
            is_block: false,
            end,
        }
    }

    /// The tag's inside with all edits, from byte `from` to byte `to`.
    pub(super) fn output(&self, from: usize, to: usize, out: &mut String) {
        let mut at = from;
        for (token, edit) in self.tokens.iter().zip(&self.edits) {
            push_gap(&self.text[at..token.start], out);
            out.push_str(&edit.before);
            match &edit.replace {
                Some(text) => out.push_str(text),
                None => out.push_str(&self.text[token.start..token.end]),
            }
            out.push_str(&edit.after);
            at = token.end;
        }
        push_gap(&self.text[at..to], out);
    }

    // --- tokens ----------------------------------------------------------------------

    pub(super) fn peek(&self) -> &'a str {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> &'a str {
        self.tokens
            .get(self.pos + ahead)
            .map_or("", |t| &self.text[t.start..t.end])
    }

    fn kind(&self) -> Option<Kind> {
        self.tokens.get(self.pos).map(|t| t.kind)
    }

    pub(super) fn at_end(&self) -> bool {
        self.pos >= self.tokens.len()
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.is(text);
        if found {
            self.pos += 1;
        }
        found
    }

    fn is(&self, text: &str) -> bool {
        !self.at_end() && self.kind() != Some(Kind::Str) && self.peek() == text
    }

    pub(super) fn expect(&mut self, text: &str) -> Parsed {
        if self.eat(text) {
            return Ok(());
        }
        Err(self.unexpected(&format!("expected `{text}`")))
    }

    pub(super) fn expect_name(&mut self) -> Result<&'a str, RewriteError> {
        if self.kind() == Some(Kind::Name) {
            let name = self.peek();
            self.pos += 1;
            return Ok(name);
        }
        Err(self.unexpected("expected a name"))
    }

    pub(super) fn unexpected(&self, expected: &str) -> RewriteError {
        match self.tokens.get(self.pos) {
            Some(t) => RewriteError::new(
                format!("found `{}`, {expected}", &self.text[t.start..t.end]),
                t.start,
            ),
            None => RewriteError::new(format!("found the end of the tag, {expected}"), self.end),
        }
    }

    /// Leaves what is left of the tag as it is.
    pub(super) fn skip_rest(&mut self) {
        self.pos = self.tokens.len();
    }

    /// Notes that the tag, a `set` without a value, opens a block.
    pub(super) fn opens_block(&mut self) {
        self.is_block = true;
    }

    /// Whether it does.
    pub(super) fn is_block(&self) -> bool {
        self.is_block
    }

    /// Replaces the token just eaten.
    pub(super) fn replace_last(&mut self, text: &str) {
        if let Some(edit) = self.edits.get_mut(self.pos.wrapping_sub(1)) {
            edit.replace = Some(text.to_owned());
        }
    }

    fn wrap(&mut self, first: usize, before: &str, after: &str) {
        self.edits[first].before.insert_str(0, before);
        self.edits[self.pos - 1].after.push_str(after);
    }

    fn nested(&mut self, parse: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.unexpected("but the expression is nested too deeply"));
        }
        let result = parse(self);
        self.depth -= 1;
        result
    }

    // --- expressions -----------------------------------------------------------------

    /// One or more expressions; several are a tuple and get the parentheses that the engine wants.
    pub(super) fn tuple(&mut self, with_condition: bool) -> Parsed {
        let first = self.pos;
        let mut is_tuple = false;
        loop {
            if with_condition {
                self.expression()?;
            } else {
                self.nested(Self::or)?;
            }
            if !self.eat(",") {
                break;
            }
            is_tuple = true;
            if self.at_end() || self.is("recursive") || self.is("if") {
                break;
            }
        }
        if is_tuple {
            self.wrap(first, "(", ")");
        }
        Ok(())
    }

    /// An expression with its `if … else …`.
    pub(super) fn expression(&mut self) -> Parsed {
        self.nested(|p| {
            p.or()?;
            while p.eat("if") {
                p.or()?;
                if p.eat("else") {
                    p.expression()?;
                }
            }
            Ok(())
        })
    }

    fn or(&mut self) -> Parsed {
        self.and()?;
        while self.eat("or") {
            self.and()?;
        }
        Ok(())
    }

    fn and(&mut self) -> Parsed {
        self.not()?;
        while self.eat("and") {
            self.not()?;
        }
        Ok(())
    }

    fn not(&mut self) -> Parsed {
        while self.eat("not") {}
        self.compare()
    }

    fn compare(&mut self) -> Parsed {
        self.sum()?;
        loop {
            let negated = self.is("not") && self.peek_at(1) == "in";
            if negated {
                self.pos += 2;
            } else if ["==", "!=", "<", "<=", ">", ">=", "in"]
                .iter()
                .any(|op| self.is(op))
            {
                self.pos += 1;
            } else {
                return Ok(());
            }
            self.sum()?;
        }
    }

    fn sum(&mut self) -> Parsed {
        self.arithmetic(Self::concat, &[("+", "__add"), ("-", "__sub")])
    }

    fn concat(&mut self) -> Parsed {
        self.product()?;
        while self.eat("~") {
            self.product()?;
        }
        Ok(())
    }

    fn product(&mut self) -> Parsed {
        let ops = [
            ("*", "__mul"),
            ("/", "__div"),
            ("//", "__floordiv"),
            ("%", "__mod"),
        ];
        self.arithmetic(Self::power, &ops)
    }

    fn power(&mut self) -> Parsed {
        self.unary()?;
        while self.eat("**") {
            self.unary()?;
        }
        Ok(())
    }

    /// `a + b - c` becomes `((a)|__add(b)|__sub(c))`: filters, because their names cannot be
    /// shadowed and because the engine does not fold them into constants.
    fn arithmetic(&mut self, operand: fn(&mut Self) -> Parsed, ops: &[(&str, &str)]) -> Parsed {
        let first = self.pos;
        operand(self)?;
        let mut any = false;
        while let Some((_, filter)) = ops.iter().find(|(op, _)| self.is(op)) {
            if !any {
                self.wrap(first, "((", ")");
                any = true;
            }
            self.pos += 1;
            self.replace_last(&format!("|{filter}("));
            operand(self)?;
            self.edits[self.pos - 1].after.push(')');
        }
        if any {
            self.edits[self.pos - 1].after.push(')');
        }
        Ok(())
    }

    fn unary(&mut self) -> Parsed {
        self.nested(|p| {
            p.operand()?;
            p.filters()
        })
    }

    /// A primary with its sign and postfixes; a plus sign is dropped, the engine has none.
    fn operand(&mut self) -> Parsed {
        while self.is("-") || self.is("+") {
            self.pos += 1;
            if self.text[self.tokens[self.pos - 1].start..].starts_with('+') {
                self.replace_last(" ");
            }
        }
        let first = self.pos;
        self.primary()?;
        self.postfix(first)
    }

    fn primary(&mut self) -> Parsed {
        let first = self.pos;
        match self.kind() {
            Some(Kind::Name | Kind::Num) => {
                self.pos += 1;
                Ok(())
            }
            Some(Kind::Str) => {
                while self.kind() == Some(Kind::Str) {
                    let literal = engine_literal(self.peek());
                    self.pos += 1;
                    if let Some(literal) = literal {
                        self.replace_last(&literal);
                    }
                }
                Ok(())
            }
            Some(Kind::Op) => match self.peek() {
                "(" => self.items(")", false),
                "[" => {
                    self.items("]", false)?;
                    self.wrap(first, "(", "|__list)");
                    Ok(())
                }
                "{" => {
                    self.items("}", true)?;
                    self.wrap(first, "(", "|__dict)");
                    Ok(())
                }
                _ => Err(self.unexpected("expected a value")),
            },
            None => Err(self.unexpected("expected a value")),
        }
    }

    /// Comma-separated items up to `close`; with `pairs`, `key: value`.
    fn items(&mut self, close: &str, pairs: bool) -> Parsed {
        self.pos += 1;
        self.nested(|p| {
            while !p.eat(close) {
                p.expression()?;
                if pairs {
                    p.expect(":")?;
                    p.expression()?;
                }
                if !p.eat(",") {
                    return p.expect(close);
                }
            }
            Ok(())
        })
    }

    fn postfix(&mut self, first: usize) -> Parsed {
        loop {
            match self.peek() {
                _ if self.kind() != Some(Kind::Op) => return Ok(()),
                "." => {
                    self.pos += 1;
                    if !matches!(self.kind(), Some(Kind::Name | Kind::Num)) {
                        return Err(self.unexpected("expected a name after the dot"));
                    }
                    self.pos += 1;
                }
                "[" => self.subscript(first)?,
                "(" => self.arguments()?,
                _ => return Ok(()),
            }
        }
    }

    /// `x[i]` stays; a slice gives a list of the engine's own and becomes `(x[a:b]|__own)`.
    fn subscript(&mut self, first: usize) -> Parsed {
        self.pos += 1;
        let mut is_slice = false;
        self.nested(|p| {
            while !p.eat("]") {
                if p.eat(":") {
                    is_slice = true;
                } else {
                    p.expression()?;
                    if !p.is(":") && !p.is("]") {
                        return p.expect("]");
                    }
                }
            }
            Ok(())
        })?;
        if is_slice {
            self.wrap(first, "(", "|__own)");
        }
        Ok(())
    }

    /// The arguments of a call, from its `(`.
    pub(super) fn arguments(&mut self) -> Parsed {
        self.expect("(")?;
        self.nested(|p| {
            while !p.eat(")") {
                if !p.eat("**") {
                    p.eat("*");
                }
                if p.kind() == Some(Kind::Name) && p.peek_at(1) == "=" {
                    p.pos += 2;
                }
                p.expression()?;
                if !p.eat(",") {
                    return p.expect(")");
                }
            }
            Ok(())
        })
    }

    /// Filters and tests after an operand.
    fn filters(&mut self) -> Parsed {
        loop {
            if self.eat("|") {
                self.filter()?;
            } else if self.eat("is") {
                self.eat("not");
                self.test()?;
            } else {
                return Ok(());
            }
        }
    }

    /// A filter after its `|`, or the first of a `{% filter %}` chain.
    pub(super) fn filter(&mut self) -> Parsed {
        let name = self.dotted_name()?;
        if self.is("(") {
            self.arguments()?;
        }
        if LISTING.contains(&name) {
            self.edits[self.pos - 1].after.push_str("|__own");
        }
        Ok(())
    }

    fn test(&mut self) -> Parsed {
        self.dotted_name()?;
        let stops = ["and", "or", "else", "is", "if", "not", "in"];
        match self.kind() {
            Some(Kind::Op) if self.is("(") => self.arguments(),
            Some(Kind::Op) if self.is("[") || self.is("{") => self.operand(),
            Some(Kind::Str | Kind::Num) => self.operand(),
            Some(Kind::Name) if !stops.contains(&self.peek()) => self.operand(),
            _ => Ok(()),
        }
    }

    fn dotted_name(&mut self) -> Result<&'a str, RewriteError> {
        let mut name = self.expect_name()?;
        while self.eat(".") {
            name = self.expect_name()?;
        }
        Ok(name)
    }

    // --- names that are assigned ------------------------------------------------------

    /// The target of `for` and `set`: names, dotted names, and nested tuples.
    pub(super) fn target(&mut self) -> Parsed {
        loop {
            if self.eat("(") {
                self.nested(Self::target)?;
                self.expect(")")?;
            } else {
                self.expect_name()?;
                while self.eat(".") {
                    self.expect_name()?;
                }
            }
            if !self.eat(",") || self.is("in") || self.is("=") || self.is(")") {
                return Ok(());
            }
        }
    }

    /// A macro's parameters, from `(`: type annotations are dropped, defaults rewritten.
    pub(super) fn signature(&mut self) -> Parsed {
        self.expect("(")?;
        while !self.eat(")") {
            self.expect_name()?;
            if self.eat(":") {
                self.replace_last("");
                self.drop_annotation(&["=", ",", ")"]);
            }
            if self.eat("=") {
                self.expression()?;
            }
            if !self.eat(",") {
                return self.expect(")");
            }
        }
        Ok(())
    }

    /// Drops tokens up to one of `stops` outside of brackets.
    pub(super) fn drop_annotation(&mut self, stops: &[&str]) {
        let mut depth = 0usize;
        while !self.at_end() && (depth > 0 || !stops.contains(&self.peek())) {
            match self.peek() {
                "[" | "(" | "{" => depth += 1,
                "]" | ")" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.pos += 1;
            self.replace_last("");
        }
    }
}

/// What stands between two tokens. Blanks beyond ASCII, which the engine does not know as such, become spaces.
fn push_gap(gap: &str, out: &mut String) {
    if gap.is_ascii() {
        return out.push_str(gap);
    }
    let blank = |c: char| if c.is_ascii() { c } else { ' ' };
    out.extend(gap.chars().map(blank));
}
