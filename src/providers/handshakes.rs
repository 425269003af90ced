//! The handshakes of the built-in providers.

use crate::{
    challenge::{
        Confirmation, Handshake, Mac, Proof, Rule, SIGNED, Then, UNSIGNED, When,
        at::At,
        pattern::Pattern,
        reply::{Content, Member, OK, Piece, Reply},
    },
    scheme::encoding::Encoding,
};

const fn text(pieces: &'static [Piece]) -> Option<Reply> {
    Some(Reply {
        body: Content::Text(pieces),
        ..OK
    })
}

const fn json(members: &'static [(&'static str, Member)]) -> Option<Reply> {
    Some(Reply {
        body: Content::Json(members),
        ..OK
    })
}

const fn headers(headers: &'static [(&'static str, Piece)]) -> Option<Reply> {
    Some(Reply { headers, ..OK })
}

/// An empty 200 for requests of these methods, whatever they contain.
const fn probe(methods: &'static [&'static str]) -> Rule {
    Rule {
        methods,
        reply: Some(OK),
        ..UNSIGNED
    }
}

/// An empty 200 for a signed request of which this is true.
const fn ping(when: &'static [When]) -> Rule {
    Rule {
        when,
        reply: Some(OK),
        ..SIGNED
    }
}

/// The question of the CloudEvents specification about an origin.
const fn origin(proof: Proof) -> Rule {
    const ORIGIN: At = At::Header("WebHook-Request-Origin");
    Rule {
        methods: &["OPTIONS"],
        when: &[When::Has(ORIGIN)],
        proof,
        check: Some((ORIGIN, "allowed_origins")),
        reply: headers(&[
            ("Allow", Piece::Literal("POST")),
            ("WebHook-Allowed-Origin", Piece::Echo(ORIGIN)),
            (
                "WebHook-Allowed-Rate",
                Piece::SettingOr("allowed_rate", "*"),
            ),
        ]),
        ..UNSIGNED
    }
}

pub(super) static ADYEN: Handshake = Handshake {
    rules: &[Rule {
        reply: text(&[Piece::Literal("[accepted]")]),
        then: Then::Delivered,
        ..SIGNED
    }],
};

pub(super) static BRAINTREE: Handshake = Handshake {
    rules: &[Rule {
        when: &[When::Has(At::Query("bt_challenge"))],
        pattern: Some((At::Query("bt_challenge"), Pattern::HEX)),
        mac: Some(Mac {
            of: At::Query("bt_challenge"),
            encoding: Encoding::Hex,
            events: Some(At::Form("bt_payload")),
        }),
        reply: text(&[Piece::Param("public_key"), Piece::Literal("|"), Piece::Mac]),
        ..UNSIGNED
    }],
};

pub(super) static MANDRILL: Handshake = Handshake {
    rules: &[
        probe(&["HEAD"]),
        Rule {
            proof: Proof::SignedWith("test-webhook"),
            when: &[
                When::Has(At::Header("X-Mandrill-Signature")),
                When::Is(At::Form("mandrill_events"), "[]"),
            ],
            reply: Some(OK),
            ..SIGNED
        },
    ],
};

const fn client_id(methods: &'static [&'static str], then: Then) -> Rule {
    const CLIENT: At = At::Header("X-AdobeSign-ClientId");
    Rule {
        methods,
        when: &[When::Has(CLIENT)],
        check: Some((CLIENT, "client_id")),
        reply: headers(&[("X-AdobeSign-ClientId", Piece::Echo(CLIENT))]),
        then,
        ..UNSIGNED
    }
}

pub(super) static ADOBE_SIGN: Handshake = Handshake {
    rules: &[
        client_id(&["GET"], Then::Answered),
        client_id(&["POST"], Then::Delivered),
    ],
};

pub(super) static ASANA: Handshake = Handshake {
    rules: &[Rule {
        methods: &["POST"],
        when: &[When::Has(At::Header("X-Hook-Secret"))],
        reply: headers(&[("X-Hook-Secret", Piece::Echo(At::Header("X-Hook-Secret")))]),
        then: Then::HandedOver(At::Header("X-Hook-Secret")),
        ..UNSIGNED
    }],
};

const fn sns(kind: &'static [When], then: &'static Confirmation) -> Rule {
    Rule {
        when: kind,
        pattern: Some((At::Json("/SubscribeURL"), Pattern::SNS_ADDRESS)),
        reply: Some(OK),
        then: Then::Confirmed(then),
        ..SIGNED
    }
}

const fn of_sns(begins: bool) -> Confirmation {
    Confirmation {
        begins,
        topic: At::Json("/TopicArn"),
        token: At::Json("/Token"),
        url: At::Json("/SubscribeURL"),
    }
}

static SUBSCRIPTION: Confirmation = of_sns(true);
static UNSUBSCRIPTION: Confirmation = of_sns(false);

pub(super) static AWS_SNS: Handshake = Handshake {
    rules: &[
        sns(
            &[When::Is(At::Json("/Type"), "SubscriptionConfirmation")],
            &SUBSCRIPTION,
        ),
        sns(
            &[When::Is(At::Json("/Type"), "UnsubscribeConfirmation")],
            &UNSUBSCRIPTION,
        ),
    ],
};

pub(super) static AZURE_EVENT_GRID: Handshake = Handshake {
    rules: &[
        Rule {
            when: &[
                When::Is(At::Header("aeg-event-type"), "SubscriptionValidation"),
                When::Is(
                    At::Json("/0/eventType"),
                    "Microsoft.EventGrid.SubscriptionValidationEvent",
                ),
            ],
            reply: json(&[(
                "validationResponse",
                Member::Text(&[Piece::Echo(At::Json("/0/data/validationCode"))]),
            )]),
            ..SIGNED
        },
        origin(Proof::Signed),
    ],
};

pub(super) static CLOUDEVENTS: Handshake = Handshake {
    rules: &[origin(Proof::Unsigned)],
};

pub(super) static DISCORD: Handshake = Handshake {
    rules: &[
        Rule {
            when: &[
                When::Is(At::Json("/type"), "1"),
                When::Lacks(At::Json("/event")),
            ],
            reply: json(&[("type", Member::Number(1))]),
            ..SIGNED
        },
        Rule {
            when: &[When::Is(At::Json("/type"), "0")],
            reply: Some(Reply { status: 204, ..OK }),
            ..SIGNED
        },
    ],
};

const CHALLENGE: At = At::Query("challenge");

/// `GET` with a challenge in the query.
static ECHO_QUERY: &[Rule] = &[Rule {
    when: &[When::Has(CHALLENGE)],
    reply: text(&[Piece::Echo(CHALLENGE)]),
    ..UNSIGNED
}];

pub(super) static DROPBOX: Handshake = Handshake { rules: ECHO_QUERY };

pub(super) static DROPBOX_SIGN: Handshake = Handshake {
    rules: &[Rule {
        reply: text(&[Piece::Literal("Hello API Event Received")]),
        then: Then::Delivered,
        ..SIGNED
    }],
};

/// What is hashed contains no key that signs events.
pub(super) static EBAY: Handshake = Handshake {
    rules: &[Rule {
        when: &[When::Has(At::Query("challenge_code"))],
        reply: json(&[(
            "challengeResponse",
            Member::Text(&[Piece::Sha256(&[
                Piece::Echo(At::Query("challenge_code")),
                Piece::Setting("verification_token"),
                Piece::Setting("url"),
            ])]),
        )]),
        ..UNSIGNED
    }],
};

pub(super) static FRONT_APP: Handshake = Handshake {
    rules: &[Rule {
        when: &[
            When::Has(At::Header("X-Front-Challenge")),
            When::Is(At::Json("/type"), "sync"),
        ],
        reply: text(&[Piece::Echo(At::Header("X-Front-Challenge"))]),
        ..SIGNED
    }],
};

pub(super) static GOOGLE_CALENDAR: Handshake = Handshake {
    rules: &[ping(&[When::Is(
        At::Header("X-Goog-Resource-State"),
        "sync",
    )])],
};

/// `HEAD` without a signature.
static HEAD_PROBE: &[Rule] = &[probe(&["HEAD"])];

pub(super) static INTERCOM: Handshake = Handshake { rules: HEAD_PROBE };

/// A signed list without events.
static EMPTY_LIST: &[Rule] = &[ping(&[When::IsEmptyList("/events")])];

pub(super) static LINE: Handshake = Handshake { rules: EMPTY_LIST };

pub(super) static MAILCHIMP: Handshake = Handshake {
    rules: &[probe(&["GET"])],
};

pub(super) static META: Handshake = Handshake {
    rules: &[Rule {
        when: &[
            When::Is(At::Query("hub.mode"), "subscribe"),
            When::Has(At::Query("hub.challenge")),
        ],
        check: Some((At::Query("hub.verify_token"), "verify_token")),
        reply: text(&[Piece::Echo(At::Query("hub.challenge"))]),
        ..UNSIGNED
    }],
};

pub(super) static MICROSOFT_GRAPH: Handshake = Handshake {
    rules: &[Rule {
        methods: &["POST", "GET"],
        when: &[When::Has(At::Query("validationToken"))],
        reply: text(&[Piece::Echo(At::Query("validationToken"))]),
        ..UNSIGNED
    }],
};

pub(super) static NOTION: Handshake = Handshake {
    rules: &[Rule {
        methods: &["POST"],
        when: &[
            When::Lacks(At::Header("X-Notion-Signature")),
            When::Has(At::Json("/verification_token")),
        ],
        reply: Some(OK),
        then: Then::HandedOver(At::Json("/verification_token")),
        ..UNSIGNED
    }],
};

pub(super) static NYLAS: Handshake = Handshake { rules: ECHO_QUERY };

pub(super) static OKTA: Handshake = Handshake {
    rules: &[Rule {
        when: &[When::Has(At::Header("X-Okta-Verification-Challenge"))],
        reply: json(&[(
            "verification",
            Member::Text(&[Piece::Echo(At::Header("X-Okta-Verification-Challenge"))]),
        )]),
        ..UNSIGNED
    }],
};

pub(super) static SLACK: Handshake = Handshake {
    rules: &[
        Rule {
            when: &[When::Is(At::Json("/type"), "url_verification")],
            reply: text(&[Piece::Echo(At::Json("/challenge"))]),
            ..SIGNED
        },
        // Slack looks at the certificate of the address of a slash command.
        Rule {
            methods: &["GET"],
            when: &[When::Is(At::Query("ssl_check"), "1")],
            reply: Some(OK),
            ..UNSIGNED
        },
    ],
};

pub(super) static TEBEX: Handshake = Handshake {
    rules: &[Rule {
        when: &[When::Is(At::Json("/type"), "validation.webhook")],
        reply: json(&[("id", Member::Text(&[Piece::Echo(At::Json("/id"))]))]),
        ..SIGNED
    }],
};

pub(super) static TRELLO: Handshake = Handshake { rules: HEAD_PROBE };

pub(super) static TRULIOO: Handshake = Handshake {
    rules: &[Rule {
        when: &[When::Is(At::Json("/type"), "URL_VERIFICATION")],
        reply: text(&[Piece::Echo(At::Json("/challenge"))]),
        ..SIGNED
    }],
};

pub(super) static TWITCH: Handshake = Handshake {
    rules: &[Rule {
        when: &[When::Is(
            At::Header("Twitch-Eventsub-Message-Type"),
            "webhook_callback_verification",
        )],
        reply: text(&[Piece::Echo(At::Json("/challenge"))]),
        ..SIGNED
    }],
};

pub(super) static VERCEL: Handshake = Handshake {
    rules: &[Rule {
        methods: &["GET", "HEAD"],
        reply: headers(&[("x-vercel-verify", Piece::Setting("verify"))]),
        ..UNSIGNED
    }],
};

pub(super) static VIBER: Handshake = Handshake {
    rules: &[ping(&[When::Is(At::Json("/event"), "webhook")])],
};

pub(super) static WOOCOMMERCE: Handshake = Handshake {
    rules: &[Rule {
        methods: &["POST"],
        when: &[
            When::Lacks(At::Header("X-WC-Webhook-Signature")),
            When::Has(At::Form("webhook_id")),
        ],
        reply: Some(OK),
        ..UNSIGNED
    }],
};

pub(super) static X_TWITTER: Handshake = Handshake {
    rules: &[Rule {
        when: &[When::Has(At::Query("crc_token"))],
        pattern: Some((At::Query("crc_token"), Pattern::TOKEN)),
        mac: Some(Mac {
            of: At::Query("crc_token"),
            encoding: Encoding::Base64,
            events: None,
        }),
        reply: json(&[(
            "response_token",
            Member::Text(&[Piece::Literal("sha256="), Piece::Mac]),
        )]),
        ..UNSIGNED
    }],
};

pub(super) static XERO: Handshake = Handshake { rules: EMPTY_LIST };

pub(super) static ZOOM: Handshake = Handshake {
    rules: &[Rule {
        when: &[When::Is(At::Json("/event"), "endpoint.url_validation")],
        pattern: Some((At::Json("/payload/plainToken"), Pattern::TOKEN)),
        mac: Some(Mac {
            of: At::Json("/payload/plainToken"),
            encoding: Encoding::Hex,
            events: None,
        }),
        reply: json(&[
            (
                "plainToken",
                Member::Text(&[Piece::Echo(At::Json("/payload/plainToken"))]),
            ),
            ("encryptedToken", Member::Text(&[Piece::Mac])),
        ]),
        ..SIGNED
    }],
};
