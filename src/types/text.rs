//! Names of people and firms, as those see them who read them.

use icu_normalizer::ComposingNormalizerBorrowed;

/// Whether a character turns, joins or hides what others read, or shows nothing: control and format characters, spaces but U+0020, and what
/// Unicode 16.0 lists as `Default_Ignorable_Code_Point` (`DerivedCoreProperties.txt`), with the blank Braille pattern.
pub const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{1680}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{2800}' | '\u{3000}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A name in the form in which two are compared: without what is hidden, compatible forms as one (NFKC, UAX #15), in small letters.
///
/// Letters of other alphabets that look alike stay apart.
pub fn folded(name: &str) -> String {
    let nfkc = const { ComposingNormalizerBorrowed::new_nfkc() };
    let shown: String = name.chars().filter(|c| !is_hidden(*c)).collect();
    let small = nfkc.normalize(&nfkc.normalize(&shown).to_lowercase()).replace('ß', "ss").replace('ς', "σ");
    small.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text as it stands between tags, and in attributes, of HTML.
///
/// Threat: a name, a purpose or the text of a refusal that is markup.
pub fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_in_many_guises_is_one() {
        for guise in [
            "Ana Díaz",
            "ana\u{200b} díaz",
            "ANA  DÍAZ",
            "ana di\u{301}az",
            "\u{ff21}na díaz",
            "ana\u{e0041} díaz",
            "\u{202e}ana díaz",
        ] {
            assert_eq!(folded(guise), "ana díaz", "{guise:?}");
        }
        assert_eq!(folded("Strauß"), folded("STRAUSS"));
        assert_ne!(folded("ana"), folded("anna"));
        assert!(['\u{e0041}', '\u{fe0f}', '\u{3164}', '\u{34f}', '\u{2800}', '\u{a0}', '\t'].into_iter().all(is_hidden));
        assert!(!"Ana Díaz-Núñez 株式会社 ß'’.,&".chars().any(is_hidden));
    }
}
