//! Every sentence that the client says, by its id, in the language that the user reads. Switchable at run time: a
//! language is a value that views are given.

use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentError, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

/// A language that the client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

impl Language {
    /// All of them, in the order of the menu.
    pub const ALL: [Self; 2] = [Self::English, Self::French];

    /// The language of the system where we speak it, English elsewhere.
    pub fn of_system() -> Self {
        sys_locale::get_locales().find_map(|tag| Self::from_tag(&tag)).unwrap_or_default()
    }

    /// From a tag like `fr`, `fr-CA` or `en_GB.UTF-8`; `None` where we do not speak it.
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag.split(['-', '_', '.']).next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "fr" => Some(Self::French),
            _ => None,
        }
    }

    /// Its BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// Its name in itself.
    pub fn name(self) -> String {
        self.text("language-name")
    }

    /// The sentence with this id; `id.attribute` names an attribute of it.
    pub fn text(self, id: &str) -> String {
        self.with(id, &[])
    }

    /// The sentence with this id, with values for its variables.
    pub fn with(self, id: &str, values: &[(&str, FluentValue<'_>)]) -> String {
        let mut arguments = FluentArgs::new();
        for (name, value) in values {
            arguments.set(*name, value.clone());
        }
        let mut errors = Vec::new();
        let found = format(self.bundle(), id, &arguments, &mut errors);
        if found.is_none() || !errors.is_empty() {
            tracing::error!(id, language = self.tag(), ?errors, "a sentence is missing");
        }
        found.unwrap_or_else(|| id.to_owned())
    }

    fn bundle(self) -> &'static FluentBundle<FluentResource> {
        static BUNDLES: OnceLock<[FluentBundle<FluentResource>; 2]> = OnceLock::new();
        &BUNDLES.get_or_init(|| Self::ALL.map(load))[self as usize]
    }

    const fn source(self) -> &'static str {
        match self {
            Self::English => include_str!("../locales/en/conclave.ftl"),
            Self::French => include_str!("../locales/fr/conclave.ftl"),
        }
    }
}

fn load(language: Language) -> FluentBundle<FluentResource> {
    let resource = FluentResource::try_new(language.source().to_owned()).unwrap_or_else(|(resource, errors)| {
        tracing::error!(language = language.tag(), ?errors, "sentences cannot be read");
        resource
    });
    let identifier = language.tag().parse::<LanguageIdentifier>().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
    bundle.set_use_isolating(false); // our font has no glyph for the marks, and our sentences run one way
    if let Err(errors) = bundle.add_resource(resource) {
        tracing::error!(language = language.tag(), ?errors, "two sentences have one id");
    }
    bundle
}

fn format(
    bundle: &FluentBundle<FluentResource>,
    id: &str,
    arguments: &FluentArgs<'_>,
    errors: &mut Vec<FluentError>,
) -> Option<String> {
    let (id, attribute) = id.split_once('.').map_or((id, None), |(id, attribute)| (id, Some(attribute)));
    let message = bundle.get_message(id)?;
    let pattern = match attribute {
        Some(attribute) => message.get_attribute(attribute)?.value(),
        None => message.value()?,
    };
    Some(bundle.format_pattern(pattern, Some(arguments), errors).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
    use std::collections::{BTreeMap, BTreeSet};

    /// Each id (`id` or `id.attribute`) with the variables that its sentence uses.
    fn sentences(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let resource = fluent_syntax::parser::parse(language.source()).expect("the file is well-formed");
        let mut found = BTreeMap::new();
        for entry in &resource.body {
            let Entry::Message(message) = entry else { continue };
            let mut note = |id: String, pattern: &Pattern<&str>| {
                let mut variables = BTreeSet::new();
                collect(pattern, &mut variables);
                assert!(found.insert(id.clone(), variables).is_none(), "{id} twice in {}", language.tag());
            };
            note(message.id.name.to_owned(), message.value.as_ref().expect("each id has a sentence"));
            for attribute in &message.attributes {
                note(format!("{}.{}", message.id.name, attribute.id.name), &attribute.value);
            }
        }
        found
    }

    fn collect(pattern: &Pattern<&str>, variables: &mut BTreeSet<String>) {
        for element in &pattern.elements {
            if let PatternElement::Placeable { expression } = element {
                match expression {
                    Expression::Inline(inline) => inline_variable(inline, variables),
                    Expression::Select { selector, variants } => {
                        inline_variable(selector, variables);
                        for variant in variants {
                            collect(&variant.value, variables);
                        }
                    }
                }
            }
        }
    }

    fn inline_variable(inline: &InlineExpression<&str>, variables: &mut BTreeSet<String>) {
        if let InlineExpression::VariableReference { id } = inline {
            variables.insert(id.name.to_owned());
        }
    }

    #[test]
    fn both_languages_say_the_same_things_with_the_same_variables() {
        assert_eq!(sentences(Language::English), sentences(Language::French));
    }

    #[test]
    fn each_sentence_is_used_and_each_used_sentence_exists() {
        let mut code = String::new();
        let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
        while let Some(folder) = folders.pop() {
            for file in std::fs::read_dir(folder).expect("our own source").flatten() {
                let path = file.path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with("locale.rs") {
                    code.push_str(&std::fs::read_to_string(path).unwrap_or_default());
                }
            }
        }
        let known = sentences(Language::English);
        for id in known.keys().filter(|id| !id.contains('.')) {
            assert!(code.contains(&format!("\"{id}\"")) || id == "language-name", "nobody says {id}");
        }
        for opening in ["text(\"", "with(\""] {
            for rest in code.split(opening).skip(1) {
                let id = rest.split('"').next().unwrap_or_default();
                let ours = id.contains('-') && !id.contains(' ');
                assert!(!ours || known.contains_key(id), "{id} is said and does not exist");
            }
        }
    }

    #[test]
    fn french_is_set_as_french_is() {
        for line in Language::French.source().lines().filter(|line| !line.starts_with('#')) {
            let sentence = line.split_once(" = ").map_or(line, |(_, sentence)| sentence).replace("conclave://", "");
            let mut before = ' ';
            for (at, letter) in sentence.char_indices() {
                let after = sentence[at + letter.len_utf8()..].chars().next().unwrap_or(' ');
                // As in 4:2:0: part of a word, no punctuation.
                let inside = before.is_alphanumeric() && after.is_alphanumeric();
                if matches!(letter, ';' | ':' | '!' | '?' | '»') && !inside {
                    assert_eq!(before, '\u{202f}', "a thin no-break space before {letter:?} in {sentence:?}");
                }
                assert_ne!(letter, '\'', "a typographic apostrophe in {sentence:?}");
                assert!(before != '«' || letter == '\u{202f}', "a thin no-break space after « in {sentence:?}");
                before = letter;
            }
        }
    }

    #[test]
    fn no_sentence_shouts() {
        for language in Language::ALL {
            assert!(!language.source().contains('!'), "{}", language.tag());
        }
    }

    #[test]
    fn numbers_choose_their_form() {
        let count = |language: Language, n: usize| language.with("meeting-people-count", &[("count", n.into())]);
        assert_eq!(count(Language::English, 1), "1 person");
        assert_eq!(count(Language::English, 0), "0 people");
        assert_eq!(count(Language::French, 0), "0 personne", "nought is singular in French");
        assert_eq!(count(Language::French, 2), "2 personnes");
    }

    #[test]
    fn the_system_names_languages_in_many_ways() {
        for tag in ["fr", "fr-FR", "fr_CA.UTF-8", "FR"] {
            assert_eq!(Language::from_tag(tag), Some(Language::French), "{tag}");
        }
        assert_eq!(Language::from_tag("en_GB"), Some(Language::English));
        for tag in ["C", "de-DE", ""] {
            assert_eq!(Language::from_tag(tag), None, "{tag}");
        }
    }
}
