//! Reasons to suspect an identification: fraud indicators, and mismatches with the expected data.

open_enum! {
    /// A fraud indicator.
    FraudTag {
        /// The face is on a block list.
        FaceInBlacklist = "FACE_IN_BLACKLIST",
        /// The portrait on the document is on a block list.
        DocFaceInBlacklist = "DOC_FACE_IN_BLACKLIST",
        /// The personal data are on a block list.
        DataBlacklisted = "DATA_BLACKLISTED",
        /// The personal data were found on a block list.
        DataInBlacklist = "DATA_IN_BLACKLIST",
        /// The face was seen before, with different data.
        DuplicateFace = "DUPLICATE_FACE",
        /// The portrait on the document was seen before, with different data.
        DuplicateDocFace = "DUPLICATE_DOC_FACE",
        /// The personal data were seen before.
        DuplicatePersonalData = "DUPLICATE_PERSONAL_DATA",
        /// The camera is virtual.
        VirtualCamera = "VIRTUAL_CAMERA",
        /// The address could not be verified.
        AddressUnverified = "ADDRESS_UNVERIFIED",
        /// The portrait on the document was replaced.
        PortraitSubstitution = "PORTRAIT_SUBSTITUTION",
        /// The face appears not to be genuine.
        FaceSuspected = "FACE_SUSPECTED",
        /// The face matches an entry of a block list.
        FaceBlacklisted = "FACE_BLACKLISTED",
        /// The portrait on the document matches an entry of a block list.
        DocFaceBlacklisted = "DOC_FACE_BLACKLISTED",
        /// The document was shown on a screen.
        DocMobilePhoto = "DOC_MOBILE_PHOTO",
        /// The developer tools of the browser were open.
        DevToolsOpened = "DEV_TOOLS_OPENED",
        /// The document appears to be printed on paper.
        DocPrintSpoofed = "DOC_PRINT_SPOOFED",
        /// A photo is not genuine.
        FakePhoto = "FAKE_PHOTO",
        /// The anti-money-laundering screening had a hit.
        AmlSuspection = "AML_SUSPECTION",
        /// The anti-money-laundering screening failed with an error.
        AmlFailed = "AML_FAILED",
        /// The document is listed as lost, stolen or invalid.
        LidSuspection = "LID_SUSPECTION",
        /// The lookup of lost and invalid documents failed with an error.
        LidFailed = "LID_FAILED",
        /// The sanctions check had a hit.
        SanctionsSuspection = "SANCTIONS_SUSPECTION",
        /// The sanctions check failed with an error.
        SanctionsFailed = "SANCTIONS_FAILED",
        /// The criminal records check had a hit.
        CriminalSuspected = "CRIMINAL_SUSPECTED",
        /// The criminal records check failed with an error.
        CriminalCheckFailed = "CRIMINAL_CHECK_FAILED",
        /// The lookup in the population register failed.
        RcFailed = "RC_FAILED",
        /// The check of the driving licence failed.
        DlFailed = "DL_FAILED",
        /// The check cannot be decided automatically and needs a human reviewer.
        AutoUnverifiable = "AUTO_UNVERIFIABLE",
        /// The address on a utility bill could not be checked. An older value.
        UtilityAddressCheckFailure = "UTILITY_ADDRESS_CHECK_FAILURE",
    }
}

open_enum! {
    /// A mismatch with the expected data.
    MismatchTag {
        /// The first name differs.
        Name = "NAME",
        /// The last name differs.
        Surname = "SURNAME",
        /// The document number differs.
        DocumentNumber = "DOCUMENT_NUMBER",
        /// The personal code differs.
        PersonalCode = "PERSONAL_CODE",
        /// The date of expiry differs.
        ExpiryDate = "EXPIRY_DATE",
        /// The date of birth differs.
        DateOfBirth = "DATE_OF_BIRTH",
        /// The date of issue differs.
        DateOfIssue = "DATE_OF_ISSUE",
        /// The nationality differs.
        Nationality = "NATIONALITY",
        /// The sex differs.
        Sex = "SEX",
        /// The full name differs.
        FullName = "FULL_NAME",
        /// Some information on the document differs.
        DocInfoMismatch = "DOC_INFO_MISMATCH",
        /// The person is younger than you allow.
        UnderAge = "UNDER_AGE",
        /// The person is older than you allow.
        OverAge = "OVER_AGE",
        /// The age is limited, but could not be read.
        UnknownAge = "UNKNOWN_AGE",
        /// The address on the utility bill differs.
        UtilityAddress = "UTILITY_ADDRESS",
        /// The name on the utility bill differs.
        UtilityName = "UTILITY_NAME",
        /// The utility bill is too old.
        ExpiredUtilityBill = "EXPIRED_UTILITY_BILL",
        /// The document submitted for an additional step is invalid.
        InvalidAdditionalStep = "INVALID_ADDITIONAL_STEP",
        /// The document requested in an additional step was not submitted.
        AdditionalStepNotFound = "ADDITIONAL_STEP_NOT_FOUND",
        /// The data of an additional step differ.
        AdditionalStepInformationMismatch = "ADDITIONAL_STEP_INFORMATION_MISMATCH",
        /// The document submitted for an additional step is too old.
        ExpiredAdditionalStepInformation = "EXPIRED_ADDITIONAL_STEP_INFORMATION",
        /// The data in the population register differ.
        RegistryCenterInfoMismatch = "REGISTRY_CENTER_INFO_MISMATCH",
        /// The data in the driving licence register differ.
        DriverLicenseInfoMismatch = "DRIVER_LICENSE_INFO_MISMATCH",
        /// The type of the proof of address is not supported.
        NotSupportedPoaDocumentType = "NOT_SUPPORTED_POA_DOCUMENT_TYPE",
        /// The country of the proof of address is not supported.
        NotSupportedPoaDocumentCountry = "NOT_SUPPORTED_POA_DOCUMENT_COUNTRY",
        /// The country of the proof of address differs.
        PoaCountriesMismatch = "POA_COUNTRIES_MISMATCH",
        /// The proof of address is a screenshot.
        PoaScreenshotDetected = "POA_SCREENSHOT_DETECTED",
        /// The data of the Global Data Consortium (GDC) differ. An older value.
        GdcNotMatch = "GDC_NOT_MATCH",
    }
}
