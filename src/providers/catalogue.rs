//! The catalogue: one row a provider, in files by category.
//!
//! A row is data. [`entries!`] makes the function of the provider, its documentation, and its line
//! in the list from the same literals.

pub(crate) mod entry;
pub(crate) mod row;
pub(crate) mod unsupported;

#[macro_use]
mod recipes;
#[macro_use]
mod words;

/// A place, as a constant.
macro_rules! place {
    (header $name:tt) => {
        Place::Header($name)
    };
    (field $name:tt) => {
        Place::Field($name)
    };
    (query $name:tt) => {
        Place::Query($name)
    };
    (json $pointer:tt) => {
        Place::Json($pointer)
    };
    (form $name:tt) => {
        Place::Form($name)
    };
    (form $name:tt json $pointer:tt) => {
        Place::FormJson($name, $pointer)
    };
}

/// The grammar of a signature, as a constant.
macro_rules! format_of {
    () => { Format::Single(&[]) };
    (after $($prefix:tt)or+) => {
        Format::Single(&[$($prefix),+])
    };
    (list $separator:tt) => { Format::List($separator, "") };
    (list $separator:tt after $prefix:tt) => {
        Format::List($separator, $prefix)
    };
    (fields $separator:tt $field:tt) => {
        Format::Fields($separator, $field, None)
    };
    (fields $separator:tt $field:tt sets $between:tt) => {
        Format::Fields($separator, $field, Some($between))
    };
    (positional $separator:tt $first:tt) => {
        Format::Positional($separator, $first)
    };
}

macro_rules! tolerance {
    (off) => {
        (None, None)
    };
    (($past:literal, $future:literal)) => {
        (Some($past), Some($future))
    };
    ($both:literal) => {
        (Some($both), Some($both))
    };
}

/// The value of an optional part of a row.
macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

macro_rules! secrets {
    () => { (Secrets::Text, &[]) };
    ($form:ident $($prefix:literal)*) => {
        (Secrets::$form, &[$($prefix),*])
    };
}

/// Where the provider publishes its keys.
macro_rules! published {
    (set $url:literal) => {
        Keys::Set($url)
    };
    (api $call:literal) => {
        Keys::Api($call)
    };
}

/// Of which requests the sender reads the answer.
macro_rules! answer_read {
    () => {
        Answer::Unread
    };
    (always) => {
        Answer::Read
    };
    (unless json $pointer:literal) => {
        Answer::ReadUnless($pointer)
    };
}

macro_rules! is_present {
    () => {
        false
    };
    ($($token:tt)+) => {
        true
    };
}

/// A scheme, as a constant.
macro_rules! recipe {
    ([as $name:ident]) => { shared!($name recipe) };
    ([basic]) => { Recipe::Basic };
    ([
        token at $([$($place:tt)+])or+ $(after $prefix:tt)? $(encoded $encoding:ident)?
    ]) => {
        Recipe::Token {
            places: &[$(place!($($place)+)),+],
            prefix: optional!($($prefix)?),
            encoding: optional!($($crate::scheme::encoding::Encoding::$encoding)?),
        }
    };
    ([
        $algorithm:ident of $content:tt, $encoding:ident $([$($format:tt)+])?
        at $([$($place:tt)+])or+
        $(, time $unit:ident at [$($time:tt)+] within $tolerance:tt)?
        $(, secret $form:ident $($prefix:literal)or*)?
        $(, require $header:literal = $value:literal)*
        $(, covers $coverage:ident)?
        $(, rsa $bits:literal)?
        $(, lines $repeats:ident)?
        $(, spaces $spaced:ident)?
        $(, key $key:literal)?
    ]) => {
        Recipe::Signed(Signed {
            algorithm: $crate::scheme::algorithm::Algorithm::$algorithm,
            content: $content,
            places: &[$(place!($($place)+)),+],
            format: format_of!($($($format)+)?),
            encoding: $crate::scheme::encoding::Encoding::$encoding,
            repeats: is_present!($($repeats)?),
            spaced: is_present!($($spaced)?),
            key_id: optional!($($key)?),
            time: optional!($(Time {
                place: place!($($time)+),
                unit: $crate::scheme::timestamp::TimeUnit::$unit,
                tolerance: tolerance!($tolerance),
            })?),
            secret: secrets!($($form $($prefix)*)?),
            require: &[$(($header, $value)),*],
            is_partial: is_present!($($coverage)?),
            min_rsa_bits: optional!($($bits)?),
        })
    };
}

/// The providers of one file: the names of its lists, the category, and the rows. The parts of a
/// row come in this order; `CONTRIBUTING.md` explains them.
macro_rules! entries {
    ($list:ident, $facts:ident: $group:literal $(
        $function:ident = $name:literal $(or $alias:literal)* {
            title: $title:literal,
            $(docs: $docs:literal,)?
            evidence: $evidence:ident,
            scheme: [$($scheme:tt)+],
            $(variant $variant:literal: [$($other:tt)+],)*
            $(event_type: [$($event_type:tt)+],)?
            $(delivery_id: [$($delivery_id:tt)+] $($unique:ident)?,)?
            $(params: [$($param:literal = $default:literal),+],)?
            $(keys: [$($keys:tt)+],)?
            $(retry_hours: $hours:literal,)?
            $(time_limit: $seconds:literal,)?
            $(success: $success:literal,)?
            $(max_body: $bytes:expr,)?
            $(handshake: $handshake:ident $asked:literal,)?
            $(answer: [$($answer:tt)+],)?
            $(bodies: $alike:ident,)?
            $(undisclosed: [$($session:literal),+],)?
            $(pitfalls: $pitfalls:literal,)?
            $(module: $module:ident,)?
        }
    )+) => {
        use $crate::{
            provider::evidence::Evidence,
            providers::catalogue::{entry::{Entry, Facts}, row::*},
        };

        $(
            #[doc = concat!($title, ".")]
            #[doc = ""]
            #[doc = concat!("- Signature: ", words!([$($scheme)+]), ".")]
            $(#[doc = concat!(
                "- Variant `", $variant, "`, which an endpoint may select: ", words!([$($other)+]), "."
            )])*
            #[doc = concat!("- Secret: ", secret_words!([$($scheme)+]), ".")]
            #[doc = concat!("- Replay window: ", window_words!([$($scheme)+]), ".")]
            $(#[doc = concat!("- Event type: ", place_words!($($event_type)+), ".")])?
            $(#[doc = concat!(
                "- Delivery id: ", place_words!($($delivery_id)+), unique_words!($($unique)?), "."
            )])?
            $(#[doc = concat!("- Parameters with defaults: ", $("`", $param, "` = `", $default, "`; ",)+ "an endpoint may set others.")])?
            $(#[doc = concat!("- Published keys: ", keys_words!($($keys)+), ".")])?
            $(#[doc = concat!("- Retries: for at most ", hours_words!($hours), ".")])?
            $(#[doc = concat!("- Time limit: the sender waits ", $seconds, " seconds for a response.")])?
            $(#[doc = concat!("- Success: only status ", $success, ".")])?
            $(#[doc = concat!("- Handshake: ", $asked, ".")])?
            $(#[doc = concat!(
                "- Reads the answer", answer_words!($($answer)+), ", so these requests are deduplicated only if the \
                endpoint sets `deduplicate_by`."
            )])?
            $(#[doc = alike_words!($alike)])?
            $(#[doc = concat!(
                "- Identity: the result is not signed, so the outcome is `Undisclosed`, whatever the body says: ask the \
                vendor's API. The session, which is not signed either, is the first that is there of", $(" `", $session, "`",)+ "."
            )])?
            #[doc = concat!("- Evidence: ", evidence_words!($evidence), ".")]
            $(#[doc = concat!("- Source: <", $docs, ">.")])?
            #[doc = forged_words!([$($scheme)+])]
            $(
                #[doc = ""]
                #[doc = $pitfalls]
            )?
            $(
                #[doc = ""]
                #[doc = concat!(
                    "Its events have types, in the [module](mod@crate::providers::", stringify!($module), ")."
                )]
            )?
            #[must_use]
            pub fn $function() -> $crate::provider::Provider {
                static ROW: Row =
                    Row {
                        name: $name,
                        docs: optional!($($docs)?),
                        evidence: Evidence::$evidence,
                        recipe: recipe!([$($scheme)+]),
                        variants: &[$(($variant, recipe!([$($other)+]))),*],
                        event_type: optional!($(place!($($event_type)+))?),
                        delivery_id: optional!($(place!($($delivery_id)+))?),
                        is_unique: is_present!($($($unique)?)?),
                        params: &[$($(($param, $default)),+)?],
                        keys: optional!($(published!($($keys)+))?),
                        retry_hours: optional!($($hours)?),
                        time_limit: optional!($($seconds)?),
                        success: optional!($($success)?),
                        max_body: optional!($($bytes)?),
                        handshake: optional!($(&$crate::providers::handshakes::$handshake)?),
                        answer: answer_read!($($($answer)+)?),
                        has_alike_bodies: is_present!($($alike)?),
                        #[cfg(feature = "identity")]
                        undisclosed: &[$($($session),+)?],
                    };
                let provider = ROW.provider();
                $(let provider = $crate::providers::$module::with_events(provider);)?
                provider
            }
        )+

        pub(in crate::providers) static $list: &[Entry] = &[$(
            Entry {
                name: $name,
                aliases: &[$($alias),*],
                provider: Ok($function),
            },
        )+];

        pub(in crate::providers) static $facts: &[Facts] = &[$(
            Facts {
                title: $title,
                group: $group,
                docs: optional!($($docs)?),
                evidence: Evidence::$evidence,
                signs: words!([$($scheme)+]),
                window: window_words!([$($scheme)+]),
                handshake: concat!($($asked)?),
                pitfalls: concat!($($pitfalls)?),
            },
        )+];
    };
}

// The files, after the macros that they use.
mod accounts;
mod billing;
mod code_a_to_g;
mod code_h_to_z;
mod collaboration;
mod commerce;
mod content;
mod crypto_assets;
mod customers;
mod documents;
mod identity_a_to_l;
mod identity_m_to_z;
mod infrastructure;
mod messaging;
mod payments_a_to_f;
mod payments_g_to_z;

pub use self::{
    accounts::*, billing::*, code_a_to_g::*, code_h_to_z::*, collaboration::*, commerce::*,
    content::*, crypto_assets::*, customers::*, documents::*, identity_a_to_l::*,
    identity_m_to_z::*, infrastructure::*, messaging::*, payments_a_to_f::*, payments_g_to_z::*,
};

/// The rows of all files.
pub(in crate::providers) static FILES: &[&[entry::Entry]] = &[
    ACCOUNTS,
    BILLING,
    CODE_A_TO_G,
    CODE_H_TO_Z,
    COLLABORATION,
    COMMERCE,
    CONTENT,
    CRYPTO_ASSETS,
    CUSTOMERS,
    DOCUMENTS,
    IDENTITY_A_TO_L,
    IDENTITY_M_TO_Z,
    INFRASTRUCTURE,
    MESSAGING,
    PAYMENTS_A_TO_F,
    PAYMENTS_G_TO_Z,
];

/// What is known of them, in the same order.
pub(in crate::providers) static FACTS: &[&[entry::Facts]] = &[
    ACCOUNTS_FACTS,
    BILLING_FACTS,
    CODE_A_TO_G_FACTS,
    CODE_H_TO_Z_FACTS,
    COLLABORATION_FACTS,
    COMMERCE_FACTS,
    CONTENT_FACTS,
    CRYPTO_ASSETS_FACTS,
    CUSTOMERS_FACTS,
    DOCUMENTS_FACTS,
    IDENTITY_A_TO_L_FACTS,
    IDENTITY_M_TO_Z_FACTS,
    INFRASTRUCTURE_FACTS,
    MESSAGING_FACTS,
    PAYMENTS_A_TO_F_FACTS,
    PAYMENTS_G_TO_Z_FACTS,
];
