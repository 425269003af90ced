//! Macros that make the words of the documentation from the parts of a row.

macro_rules! algorithm_words {
    (HmacSha256) => {
        "HMAC-SHA256"
    };
    (HmacSha512) => {
        "HMAC-SHA512"
    };
    (HmacSha1) => {
        "HMAC-SHA1"
    };
    (HmacMd5) => {
        "HMAC-MD5"
    };
    (Sha256) => {
        "SHA-256"
    };
    (Sha512) => {
        "SHA-512"
    };
    (Sha1) => {
        "SHA-1"
    };
    (Ed25519) => {
        "Ed25519"
    };
    (EcdsaP256Sha256) => {
        "ECDSA (P-256, SHA-256)"
    };
    (RsaPkcs1Sha1) => {
        "RSA (PKCS #1 v1.5, SHA-1)"
    };
    (RsaPkcs1Sha256) => {
        "RSA (PKCS #1 v1.5, SHA-256)"
    };
    (RsaPkcs1Sha512) => {
        "RSA (PKCS #1 v1.5, SHA-512)"
    };
}

macro_rules! keys_words {
    (set $url:literal) => {
        concat!(
            "the set of JSON Web Keys at <",
            $url,
            ">, which `remote_keys` fetches"
        )
    };
    (api $call:literal) => {
        concat!(
            "one by its id, by `",
            $call,
            "`, which the application calls in `RemoteKeys::by_id`"
        )
    };
}

macro_rules! content_words {
    ("{body}") => {
        "the body"
    };
    ($content:tt) => {
        concat!("`", $content, "`")
    };
}

macro_rules! place_words {
    (header "{param:header}") => {
        "the header that the parameter `header` names"
    };
    (header "{param:place}") => {
        "the header that the parameter `place` names"
    };
    (query "{param:place}") => {
        "the query parameter that the parameter `place` names"
    };
    (header $name:tt) => {
        concat!("header `", $name, "`")
    };
    (field $name:tt) => {
        concat!("field `", $name, "` of the signature header")
    };
    (query $name:tt) => {
        concat!("query parameter `", $name, "`")
    };
    (json $pointer:tt) => {
        concat!("`", $pointer, "` of the JSON body")
    };
    (form $name:tt) => {
        concat!("form field `", $name, "`")
    };
    (form $name:tt json $pointer:tt) => {
        concat!("`", $pointer, "` of the JSON in form field `", $name, "`")
    };
}

macro_rules! encoding_words {
    (Hex) => {
        "hex"
    };
    (Base64) => {
        "base64"
    };
    (Base64Url) => {
        "URL-safe base64"
    };
    (HexOrBase64) => {
        "hex or base64"
    };
}

macro_rules! format_words {
    () => { "" };
    (after $prefix:tt) => { concat!(" after `", $prefix, "`") };
    (after $prefix:tt or "") => { concat!(" after `", $prefix, "` or after nothing") };
    (after $prefix:tt or $other:tt) => { concat!(" after `", $prefix, "` or `", $other, "`") };
    (list $separator:tt) => { ", in a list" };
    (list $separator:tt after $prefix:tt) => { concat!(" after `", $prefix, "`, in a list") };
    (fields $($rest:tt)+) => { field_words!($($rest)+) };
    (positional $separator:tt $first:tt) => { concat!(", in the items from number ", $first, " on") };
}

macro_rules! field_words {
    ($separator:tt $field:tt $(sets $between:tt)?) => {
        concat!(", in each field `", $field, "`")
    };
}

/// What is signed, and where the signature is.
macro_rules! words {
    ([as $name:ident]) => { shared!($name words) };
    ([ basic ]) => { "none: the request contains user and password (Basic)" };
    ([
        token at $([$($place:tt)+])or+ $(after $prefix:tt)? $(encoded $encoding:ident)?
    ]) => {
        concat!(
            "none: the request contains the secret",
            $(", in ", encoding_words!($encoding),)? $(", after `", $prefix, "`",)?
            or_words!($([$($place)+])+)
        )
    };
    ([
        $algorithm:ident of $content:tt, $encoding:ident $([$($format:tt)+])?
        at $([$($place:tt)+])or+ $(, $($rest:tt)+)?
    ]) => {
        concat!(
            algorithm_words!($algorithm), " of ", content_words!($content),
            ", in ", encoding_words!($encoding), format_words!($($($format)+)?),
            or_words!($([$($place)+])+)
        )
    };
}

macro_rules! or_words {
    ([$($place:tt)+] $([$($other:tt)+])*) => {
        concat!(", in ", place_words!($($place)+) $(, " or ", place_words!($($other)+))*)
    };
}

macro_rules! secret_words {
    ([as $name:ident]) => { shared!($name secret_words) };
    ([ basic ]) => { "`user:password`" };
    ([ token $($rest:tt)+ ]) => { "the token, as text" };
    ([ Ed25519 $($rest:tt)+ ]) => { "none; the provider's public key, with the feature `asymmetric`" };
    ([ EcdsaP256Sha256 $($rest:tt)+ ]) => { "none; the provider's public key, with the feature `asymmetric`" };
    ([ RsaPkcs1Sha1 $($rest:tt)+ ]) => { "none; the provider's public key, with the feature `asymmetric`" };
    ([ RsaPkcs1Sha256 $($rest:tt)+ ]) => { "none; the provider's public key, with the feature `asymmetric`" };
    ([ RsaPkcs1Sha512 $($rest:tt)+ ]) => { "none; the provider's public key, with the feature `asymmetric`" };
    ([
        $algorithm:ident of $content:tt, $encoding:ident $([$($format:tt)+])?
        at $([$($place:tt)+])or+
        $(, time $unit:ident at [$($time:tt)+] within $tolerance:tt)?
        $(, secret $form:ident $($prefix:literal)or*)?
        $(, require $header:literal = $value:literal)*
        $(, covers $coverage:ident)?
        $(, lines $repeats:ident)?
        $(, spaces $spaced:ident)?
        $(, key $key:literal)?
    ]) => {
        concat!(form_words!($($form)?), $(prefix_words!($($prefix)*))?)
    };
}

macro_rules! prefix_words {
    () => {
        ""
    };
    ($first:literal $($other:literal)*) => {
        concat!(" after an optional `", $first, "`" $(, " or `", $other, "`")*)
    };
}

macro_rules! form_words {
    () => {
        "text"
    };
    (Text) => {
        "text"
    };
    (Base64) => {
        "base64"
    };
    (Hex) => {
        "hex"
    };
    (AnyBase64) => {
        "base64"
    };
    (Nfkd) => {
        "text, normalised (NFKD)"
    };
}

/// For how long a captured request can be sent again.
macro_rules! window_words {
    ([as $name:ident]) => { shared!($name window_words) };
    ([ basic ]) => { "unlimited" };
    ([ token $($rest:tt)+ ]) => { "unlimited" };
    ([
        $algorithm:ident of $content:tt, $encoding:ident $([$($format:tt)+])?
        at $([$($place:tt)+])or+ $(, $($rest:tt)+)?
    ]) => { time_words!($($($rest)+)?) };
}

macro_rules! time_words {
    (time $unit:ident at [$($time:tt)+] within 5 $($rest:tt)*) => {
        "5 seconds"
    };
    (time $unit:ident at [$($time:tt)+] within 60 $($rest:tt)*) => {
        "1 minute"
    };
    (time $unit:ident at [$($time:tt)+] within 180 $($rest:tt)*) => {
        "3 minutes"
    };
    (time $unit:ident at [$($time:tt)+] within 300 $($rest:tt)*) => {
        "5 minutes"
    };
    (time $unit:ident at [$($time:tt)+] within 600 $($rest:tt)*) => {
        "10 minutes"
    };
    (time $unit:ident at [$($time:tt)+] within (600, 0) $($rest:tt)*) => {
        "10 minutes"
    };
    (time $unit:ident at [$($time:tt)+] within 1800 $($rest:tt)*) => {
        "30 minutes"
    };
    (time $unit:ident at [$($time:tt)+] within off $($rest:tt)*) => {
        "unlimited, unless an endpoint sets `tolerance`"
    };
    ($($rest:tt)*) => {
        "unlimited"
    };
}

macro_rules! unique_words {
    () => {
        ""
    };
    (unique) => {
        ", the same for every attempt"
    };
}

macro_rules! evidence_words {
    (Ran) => {
        "the vendor's own library, or its published example, was run and agreed"
    };
    (Documented) => {
        "the vendor's documentation or source was read"
    };
    (Reported) => {
        "several independent implementations agree"
    };
    (Assumed) => {
        "**how this provider signs is assumed**; compare it with a genuine delivery"
    };
}

/// For how long a sender tries again.
macro_rules! hours_words {
    (1) => {
        "an hour"
    };
    ($hours:literal) => {
        concat!($hours, " hours")
    };
}

/// What can be forged.
macro_rules! forged_words {
    ([as $name:ident]) => { shared!($name forged_words) };
    ([ basic ]) => { forged_words!(nothing) };
    ([ token $($rest:tt)+ ]) => { forged_words!(nothing) };
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
    ]) => { forged_words!($($coverage)?) };
    () => { "" };
    (parts) => {
        "\n**The body is signed in part**: whoever has seen one request can send it again with everything changed that is not signed. An endpoint has to accept that: see [`accept_unsigned_body`](crate::provider::Provider::accept_unsigned_body)."
    };
    (nothing) => {
        "\n**The body is not signed**: whoever has seen one request can send any other body. An endpoint has to accept that: see [`accept_unsigned_body`](crate::provider::Provider::accept_unsigned_body)."
    };
}

macro_rules! alike_words {
    (alike) => {
        "- Bodies: two events may have the same one, so requests without an id are deduplicated only \
         if the endpoint sets `deduplicate_by`."
    };
}

/// Of which requests the sender reads the answer, in words.
macro_rules! answer_words {
    (always) => {
        ""
    };
    (unless json $pointer:literal) => {
        concat!(" to a body without `", $pointer, "`")
    };
}
