//! All texts of the client by id, in the language of the user. Views get the language as a value, so the user can change it
//! while the program runs.

use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentError, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

/// The languages of the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

impl Language {
    /// All languages, in the order of the menu.
    pub const ALL: [Self; 2] = [Self::English, Self::French];

    /// The first language of the system that the client has, else English.
    pub fn of_system() -> Self {
        sys_locale::get_locales().find_map(|tag| Self::from_tag(&tag)).unwrap_or_default()
    }

    /// Parses a tag like `fr`, `fr-CA` or `en_GB.UTF-8`. Returns `None` if the client does not have the language.
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag.split(['-', '_', '.']).next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "fr" => Some(Self::French),
            _ => None,
        }
    }

    /// The BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// The name of the language in the language itself.
    pub fn name(self) -> String {
        self.text("language-name")
    }

    /// The text with this id. `id.attribute` is an attribute of it.
    pub fn text(self, id: &str) -> String {
        self.with(id, &[])
    }

    /// The text with this id and these values of its variables.
    pub fn with(self, id: &str, values: &[(&str, FluentValue<'_>)]) -> String {
        let mut arguments = FluentArgs::new();
        for (name, value) in values {
            arguments.set(*name, value.clone());
        }
        let mut errors = Vec::new();
        let found = format(self.bundle(), id, &arguments, &mut errors);
        if found.is_none() || !errors.is_empty() {
            tracing::error!(id, language = self.tag(), ?errors, "a text is missing or incomplete");
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
        tracing::error!(language = language.tag(), ?errors, "the text file is malformed");
        resource
    });
    let identifier = language.tag().parse::<LanguageIdentifier>().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
    bundle.set_use_isolating(false); // the font has no glyphs for the isolation marks, and all texts are left-to-right
    if let Err(errors) = bundle.add_resource(resource) {
        tracing::error!(language = language.tag(), ?errors, "a text id is used twice");
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

    /// Each id (`id` or `id.attribute`) with the variables of its text.
    fn sentences(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let resource = fluent_syntax::parser::parse(language.source()).expect("the file is well-formed");
        let mut found = BTreeMap::new();
        for entry in &resource.body {
            let Entry::Message(message) = entry else { continue };
            let mut record = |id: String, pattern: &Pattern<&str>| {
                let mut variables = BTreeSet::new();
                collect(pattern, &mut variables);
                assert!(found.insert(id.clone(), variables).is_none(), "{id} twice in {}", language.tag());
            };
            record(message.id.name.to_owned(), message.value.as_ref().expect("each id has a sentence"));
            for attribute in &message.attributes {
                record(format!("{}.{}", message.id.name, attribute.id.name), &attribute.value);
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
    fn both_languages_have_the_same_ids_and_variables() {
        assert_eq!(sentences(Language::English), sentences(Language::French));
    }

    /// The texts that new users understood, instead of those that they did not.
    #[test]
    fn the_words_are_those_that_new_users_understand() {
        let words = [
            (
                "home-title",
                "Meetings only the participants can see and hear",
                "Des visioconférences que seuls les participants voient et entendent",
            ),
            ("lock-open", "Securing…", "Sécurisation en cours…"),
            ("lock-closed", "End-to-end encrypted", "Chiffrée de bout en bout"),
            ("lock-verified", "Encrypted and verified", "Chiffrée et vérifiée"),
            ("lock-attention", "Verify again", "À revérifier"),
            ("lock-title", "Meeting security", "Sécurité de la visioconférence"),
            ("lock-verified-text", "nobody is intercepting the meeting", "personne n’intercepte les échanges"),
            (
                "lock-attention-text",
                "Someone joined or left since you verified",
                "Un participant est arrivé ou parti depuis la vérification",
            ),
            ("theme-system", "Match system", "Selon le système"),
            ("preview-again", "Check again", "Réessayer"),
            ("device-none-camera", "None", "Aucun"),
            ("device-default-camera", "Default camera", "Caméra par défaut"),
            ("meeting-mute-on", "Mute", "Couper le micro"),
            ("meeting-camera-on", "Stop video", "Couper la caméra"),
            ("meeting-notices", "Notifications", "Notifications"),
            ("ended-removed", "The organiser removed you", "L’organisateur vous a exclu"),
            ("ended-title", "You’re no longer in the meeting", "Vous n’êtes plus dans la visioconférence"),
            ("ended-home", "Home", "Accueil"),
            ("ended-refused", "The organiser declined your request", "L’organisateur a refusé votre demande"),
            ("ended-server", "Server error", "Erreur du serveur"),
            ("ended-no-meeting", "This meeting no longer exists", "Cette visioconférence n’existe plus"),
            ("meeting-alone", "You’re the only person here", "Vous êtes seul(e) pour l’instant"),
            ("preview-name-empty", "Enter your name", "Saisissez votre nom"),
        ];
        for (id, english, french) in words {
            for (language, expected) in [(Language::English, english), (Language::French, french)] {
                let text = language.text(id);
                assert!(text.contains(expected), "{id}: {text}");
            }
        }
        let removed = |language: Language| language.with("people-remove-text", &[("name", "X".into())]);
        assert!(
            removed(Language::English).starts_with("X will be removed immediately and won’t see or hear anything more")
        );
        assert!(
            removed(Language::French).starts_with("X sera exclu immédiatement et ne pourra plus rien voir ni entendre")
        );
        let keys = |language: Language| language.with("lock-epoch", &[("count", 1_usize.into())]);
        assert_eq!(
            (keys(Language::English).as_str(), keys(Language::French).as_str()),
            ("Keys changed once", "Clés renouvelées une fois")
        );
    }

    /// Words of the first version that new users did not understand, or that the system's own programs do not use.
    #[test]
    fn the_words_that_were_replaced_do_not_come_back() {
        let replaced = [
            "sealed",
            "somebody",
            "came or went",
            "look again",
            "as the system",
            "really closed",
            "sits in between",
            "made a mistake",
            "any more",
            "is over for you",
            "said no",
            "the only one here",
            "so that the others know",
            "the room",
            "at once",
            "whoever",
            "back to start",
            "not closed yet",
            "compare again",
        ];
        let text = Language::English.source().to_lowercase();
        let shown = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| Some(line.split_once('=')?.1));
        let found: Vec<_> = shown.filter(|line| replaced.iter().any(|words| line.contains(words))).collect();
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn each_text_is_used_and_each_used_text_exists() {
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
            assert!(code.contains(&format!("\"{id}\"")) || id == "language-name", "{id} is not used");
        }
        for opening in ["text(\"", "with(\""] {
            for rest in code.split(opening).skip(1) {
                let id = rest.split('"').next().unwrap_or_default();
                let ours = id.contains('-') && !id.contains(' ');
                assert!(!ours || known.contains_key(id), "{id} does not exist");
            }
        }
    }

    #[test]
    fn french_punctuation_has_its_spaces() {
        for line in Language::French.source().lines().filter(|line| !line.starts_with('#')) {
            let sentence = line.split_once(" = ").map_or(line, |(_, sentence)| sentence).replace("conclave://", "");
            let mut before = ' ';
            for (at, letter) in sentence.char_indices() {
                let after = sentence[at + letter.len_utf8()..].chars().next().unwrap_or(' ');
                // Between letters or digits, as in 4:2:0, the character is not punctuation.
                let inside = before.is_alphanumeric() && after.is_alphanumeric();
                let space = match letter {
                    ';' | '!' | '?' | '»' => Some('\u{202f}'),
                    ':' => Some('\u{a0}'),
                    _ => None,
                };
                if let Some(space) = space.filter(|_| !inside) {
                    assert_eq!(before, space, "{space:?} before {letter:?} in {sentence:?}");
                }
                assert_ne!(letter, '\'', "use a typographic apostrophe in {sentence:?}");
                assert!(before != '«' || letter == '\u{202f}', "a narrow no-break space after « in {sentence:?}");
                before = letter;
            }
        }
    }

    #[test]
    fn no_text_has_an_exclamation_mark() {
        for language in Language::ALL {
            assert!(!language.source().contains('!'), "{}", language.tag());
        }
    }

    #[test]
    fn texts_use_the_plural_of_their_language() {
        let count = |language: Language, n: usize| language.with("meeting-people-count", &[("count", n.into())]);
        assert_eq!(count(Language::English, 1), "1 person");
        assert_eq!(count(Language::English, 0), "0 people");
        assert_eq!(count(Language::French, 0), "0 personne", "zero is singular in French");
        assert_eq!(count(Language::French, 2), "2 personnes");
    }

    #[test]
    fn language_tags_of_the_system_are_parsed() {
        for tag in ["fr", "fr-FR", "fr_CA.UTF-8", "FR"] {
            assert_eq!(Language::from_tag(tag), Some(Language::French), "{tag}");
        }
        assert_eq!(Language::from_tag("en_GB"), Some(Language::English));
        for tag in ["C", "de-DE", ""] {
            assert_eq!(Language::from_tag(tag), None, "{tag}");
        }
    }
}
