//! The stable codes of all diagnostics: one home, so that the gallery can check that each
//! has its case. Words in kebab-case, the stage first.

use std::fmt;

use serde::Serialize;

/// A stable code, for example `project-unknown-key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Code(&'static str);

impl Code {
    /// The code as text.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code($text);)*

        /// Every code there is, in order.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    // --- project files -------------------------------------------------------------
    /// A project file could not be read.
    PROJECT_UNREADABLE = "project-unreadable";
    /// A file is not valid UTF-8.
    PROJECT_NOT_UTF8 = "project-not-utf8";
    /// A file that should be text holds NUL bytes.
    PROJECT_NOT_TEXT = "project-not-text";
    /// A file name that cannot be used.
    FILE_NAME = "project-file-name";
    /// A link leads back to a folder above it.
    LINK_LOOP = "project-link-loop";
    /// There is no project file.
    PROJECT_NOT_FOUND = "project-not-found";
    /// The project's name is no identifier.
    PROJECT_NAME = "project-name";
    /// A key has another name today.
    RENAMED_KEY = "project-renamed-key";
    /// A key that nobody reads.
    UNKNOWN_KEY = "project-unknown-key";
    /// A key that must be there is not.
    MISSING_KEY = "project-missing-key";
    /// A value is of the wrong type.
    WRONG_TYPE = "project-wrong-type";
    /// YAML syntax.
    YAML_SYNTAX = "yaml-syntax";
    /// A YAML tag such as `!include`.
    YAML_TAG = "yaml-tag";
    /// More than one YAML document in a file.
    YAML_SEVERAL_DOCUMENTS = "yaml-several-documents";
    /// A key is written twice in one mapping.
    DUPLICATE_KEY = "yaml-duplicate-key";
    /// Jinja inside YAML failed.
    YAML_JINJA = "yaml-jinja";
    /// `env_var()` names a variable that is not set.
    ENV_VAR_MISSING = "env-var-missing";
    /// `env_var()` names a secret where secrets may not be read.
    ENV_VAR_SECRET = "env-var-secret";
    /// There is no `profiles.yml`.
    PROFILES_MISSING = "profiles-missing";
    /// `profiles.yml` has no such profile.
    PROFILE_NOT_FOUND = "profile-not-found";
    /// The profile has no such target.
    TARGET_NOT_FOUND = "target-not-found";
    /// The target is for another database.
    TARGET_NOT_POSTGRES = "target-not-postgres";
    /// `--vars` is no mapping.
    CLI_VARS = "vars-form";
    /// The database URL cannot be read.
    DATABASE_URL = "database-url";
    /// A config path of the project file applies to nothing.
    CONFIG_UNUSED_PATH = "config-unused-path";
    /// A config with a mapping as its value lacks its `+`, so it is read as a folder.
    CONFIG_MAPPING_WITHOUT_PLUS = "config-mapping-without-plus";
    /// A test is declared in a form that nothing understands.
    TEST_FORM = "test-form";
    /// A config value of the wrong type, or none of the words it may be.
    CONFIG_VALUE = "config-value";
    /// Two entries of property files describe one resource.
    DUPLICATE_PROPERTIES = "duplicate-properties";
    /// `versions:` of a model contradict each other.
    MODEL_VERSIONS = "model-versions";
    /// A source's table is declared twice.
    DUPLICATE_SOURCE = "duplicate-source";
    /// Two packages share a name.
    DUPLICATE_PACKAGE = "duplicate-package";
    /// An entry of `packages.yml` that nothing understands.
    PACKAGE_ENTRY = "package-entry";
    /// A package that is listed but not installed.
    PACKAGE_MISSING = "package-missing";
    /// A package that cannot be fetched.
    PACKAGE_FETCH = "package-fetch";
    /// A local package that is not there.
    PACKAGE_PATH = "package-path";
    /// The definition of a selector that nothing understands.
    SELECTOR_FORM = "selector-form";
    /// Two selectors share a name.
    SELECTOR_NAME_TWICE = "selector-name-twice";
    /// Both `tests` and `data_tests`.
    TEST_KEYS_TWICE = "test-keys-twice";
    // --- command line ----------------------------------------------------------------
    /// Wrong usage.
    CLI_USAGE = "cli-usage";
    /// `retry` has no run that it could continue.
    RETRY_IMPOSSIBLE = "retry-impossible";
    /// `--report` names no form, no path, or a path twice.
    REPORT_FORM = "report-form";
    /// The file of a report cannot be written.
    REPORT_UNWRITABLE = "report-unwritable";
    /// This machine does not give what the program needs.
    SYSTEM = "system";
    // --- jinja -----------------------------------------------------------------------
    /// A template's syntax.
    JINJA_SYNTAX = "jinja-syntax";
    /// A template failed while it was rendered.
    JINJA_ERROR = "jinja-error";
    /// A macro or function that is called does not exist.
    UNKNOWN_MACRO = "unknown-macro";
    /// A package has two macros of one name.
    DUPLICATE_MACRO = "duplicate-macro";
    // --- graph -----------------------------------------------------------------------
    /// A `ref()` names no node.
    UNKNOWN_REF = "unknown-ref";
    /// A `source()` names no declared table.
    UNKNOWN_SOURCE = "unknown-source";
    /// Nodes read one another.
    GRAPH_CYCLE = "graph-cycle";
    /// Two nodes share a name or a relation.
    DUPLICATE_NODE = "duplicate-node";
    /// A property file describes something that does not exist.
    UNKNOWN_RESOURCE = "unknown-resource";
    /// A description uses a docs block that does not exist.
    UNKNOWN_DOCS = "unknown-docs";
    /// A data test names no macro.
    UNKNOWN_TEST = "unknown-test";
    /// A unit test that is written in a way that nothing understands.
    UNIT_TEST_FORM = "unit-test-form";
    /// A unit test gives what its model does not read, or does not give what it reads.
    UNIT_TEST_INPUT = "unit-test-input";
    /// Rows of a unit test do not fit the columns they are for.
    UNIT_TEST_ROWS = "unit-test-rows";
    /// A contract that cannot be kept as it is written.
    CONTRACT_FORM = "contract-form";
    /// A test's threshold is a share of rows, and it is not said of which relation.
    TEST_SHARE = "test-share";
    /// A column's `money` that nothing understands.
    MONEY_DECLARATION = "money-declaration";
    /// A materialization that marts does not have.
    UNKNOWN_MATERIALIZATION = "unknown-materialization";
    /// A semantic model, metric or saved query that does not fit the others.
    SEMANTIC_FORM = "semantic-form";
    /// A user-defined function lacks what Postgres must know of it.
    FUNCTION_FORM = "function-form";
    /// A model's `deprecation_date` has passed, or somebody reads such a model.
    MODEL_DEPRECATED = "model-deprecated";
    /// Something in the config of a node is wrong.
    NODE_CONFIG = "node-config";
    /// A selection cannot be understood.
    SELECTION = "selection";
    /// A selection matches nothing.
    SELECTION_EMPTY = "selection-empty";
    /// There is no selector of that name.
    UNKNOWN_SELECTOR = "unknown-selector";
    /// A definition in `selectors.yml` is wrong.
    SELECTOR_DEFINITION = "selector-definition";
    /// A selection compares with an earlier run that was not given.
    STATE_MISSING = "state-missing";
    // --- database --------------------------------------------------------------------
    /// The server cannot be reached.
    DB_CONNECT = "db-connect";
    /// A profile's output or a URL does not say how to connect.
    DB_CONFIG = "db-config";
    /// The server refuses the role, the password or the database.
    DB_LOGIN = "db-login";
    /// TLS cannot be agreed on, or the certificate is not trusted.
    DB_TLS = "db-tls";
    /// The connection ended under a statement.
    DB_LOST = "db-lost";
    /// A proxy gives each transaction another session.
    DB_POOLING = "db-pooling";
    /// The disk of the server is full.
    DB_DISK_FULL = "db-disk-full";
    /// No PostgreSQL is installed for the private server.
    DB_SERVER_MISSING = "db-server-missing";
    /// The private server's folder cannot be made or written.
    DB_SERVER_FOLDER = "db-server-folder";
    /// The private server does not start or cannot be used.
    DB_SERVER_FAILED = "db-server-failed";
    // --- generate ----------------------------------------------------------------------
    /// The raw schema holds what `marts generate` may not write over.
    GENERATE_REFUSED = "generate-refused";
    /// A file of `--out` cannot be written.
    GENERATE_UNWRITABLE = "generate-unwritable";
    // --- ingest ------------------------------------------------------------------------
    /// There is no `ingest.yml`.
    INGEST_MISSING = "ingest-missing";
    /// A table of `ingest.yml` that cannot be loaded as it is declared.
    INGEST_CONFIG = "ingest-config";
    /// The source has no such table, or the role may not read it.
    INGEST_SOURCE = "ingest-source";
    /// A table of that name is there that `marts ingest` did not load.
    INGEST_REFUSED = "ingest-refused";
    /// Another `marts ingest` loads the same table.
    INGEST_BUSY = "ingest-busy";
    /// The source's columns changed in a way that the table's config does not allow.
    INGEST_DRIFT = "ingest-drift";
    /// The key of a table is null or not unique.
    INGEST_KEY = "ingest-key";
    /// What arrived is not what the source holds.
    INGEST_DIFFERS = "ingest-differs";
    // --- run -------------------------------------------------------------------------
    /// A statement of a node failed in Postgres.
    SQL_ERROR = "sql-error";
    /// A statement ran into a time limit of its node or target.
    SQL_LIMIT = "sql-limit";
    /// A file under the target path cannot be written.
    TARGET_UNWRITABLE = "target-unwritable";
    /// A schema is missing and may not be created.
    SCHEMA_MISSING = "schema-missing";
    /// A seed's file is wrong.
    SEED_FILE = "seed-file";
    /// A materialization cannot do what its config asks.
    MATERIALIZATION = "materialization";
    /// A query does not give the columns that its model's contract promises.
    CONTRACT_BROKEN = "contract-broken";
    /// A sum of money over several currencies.
    MONEY_SUM = "money-sum";
    /// A measure that its catalog calls semi-additive is summed over what it does not add up over.
    SEMI_ADDITIVE_SUM = "semi-additive-sum";
    /// A source's freshness cannot be known.
    FRESHNESS = "source-freshness";
    /// What hangs on a relation keeps it from being replaced.
    PUBLISH_REFUSED = "publish-refused";
    /// The new rows of a table that is continued would break a constraint of it.
    PUBLISH_VIOLATION = "publish-violation";
    /// The server went away before it said whether a publication is committed.
    PUBLISH_UNKNOWN = "publish-unknown";
    /// A relation stayed in use while its new version waited.
    PUBLISH_LOCKED = "publish-locked";
    /// Another run holds the target.
    TARGET_HELD = "target-held";
    /// A publish mode that this target or command does not allow.
    PUBLISH_MODE = "publish-mode";
    /// A crash of the server emptied an unlogged table.
    TABLE_EMPTIED = "table-emptied";
    /// The failing rows of a test would replace something that no test made.
    FAILURES_NAME_TAKEN = "failures-name-taken";
    /// A run cannot be written into the ledger.
    LEDGER_UNAVAILABLE = "ledger-unavailable";
    /// The target's database has no ledger.
    LEDGER_MISSING = "ledger-missing";
    /// The ledger knows no test of that name.
    LEDGER_UNKNOWN_TEST = "ledger-unknown-test";
}
