//! SQL as its tokens, to compare what was written with what a syntax tree prints.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Tokenizer};

/// Longer tests run by themselves: walking a syntax tree takes stack for each nested operator.
const MAX_TOKENS: usize = 1_000;

/// The tokens of a text, without spaces, comments and the optional word `as`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tokens(Vec<Token>);

/// Splits a text; `None` if it cannot be split or is very long.
pub(super) fn tokens(sql: &str) -> Option<Tokens> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().ok()?;
    let tokens: Vec<Token> = tokens.into_iter().filter_map(normal).collect();
    // The values of an `in` list are many and flat.
    let nested = tokens.iter().filter(|token| !is_listed(token)).count();
    (nested <= MAX_TOKENS).then_some(Tokens(tokens))
}

fn is_listed(token: &Token) -> bool {
    matches!(
        token,
        Token::Comma | Token::Number(..) | Token::SingleQuotedString(_)
    )
}

fn normal(token: Token) -> Option<Token> {
    match token {
        Token::Whitespace(_) => None,
        Token::Word(word) if word.keyword == Keyword::AS && word.quote_style.is_none() => None,
        Token::Word(mut word) if word.quote_style.is_none() => {
            word.value = word.value.to_ascii_lowercase();
            Some(Token::Word(word))
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_comments_and_the_case_of_words_do_not_count() {
        assert_eq!(
            tokens("Select A -- note\n AS b /* /* x */ */ from T"),
            tokens("select a b from t")
        );
        assert_ne!(tokens("select \"A\""), tokens("select \"a\""));
        assert_ne!(tokens("select 'A'"), tokens("select 'a'"));
    }

    #[test]
    fn a_long_list_is_read_and_a_long_chain_is_not() {
        let list = vec!["1"; 5_000].join(", ");
        assert!(tokens(&format!("select * from t where a in ({list})")).is_some());
        let chain = vec!["a = 1"; 5_000].join(" or ");
        assert!(tokens(&format!("select * from t where {chain}")).is_none());
    }
}
