//! What an identification can be suspected of: signs of fraud, and differences from what was expected.

open_enum! {
    /// A sign of fraud.
    FraudTag {
        /// The face is on a block list.
        FaceInBlacklist = "FACE_IN_BLACKLIST",
        /// The portrait on the document is on a block list.
        DocFaceInBlacklist = "DOC_FACE_IN_BLACKLIST",
        /// The personal data are on a block list.
        DataBlacklisted = "DATA_BLACKLISTED",
        /// The personal data were found on a block list.
        DataInBlacklist = "DATA_IN_BLACKLIST",
        /// The face was seen before, under other data.
        DuplicateFace = "DUPLICATE_FACE",
        /// The portrait on the document was seen before, under other data.
        DuplicateDocFace = "DUPLICATE_DOC_FACE",
        /// The personal data were seen before.
        DuplicatePersonalData = "DUPLICATE_PERSONAL_DATA",
        /// The camera was made by software.
        VirtualCamera = "VIRTUAL_CAMERA",
        /// The address could not be verified.
        AddressUnverified = "ADDRESS_UNVERIFIED",
        /// The portrait on the document was replaced.
        PortraitSubstitution = "PORTRAIT_SUBSTITUTION",
        /// The face does not seem to be genuine.
        FaceSuspected = "FACE_SUSPECTED",
        /// The face matches an entry of a block list.
        FaceBlacklisted = "FACE_BLACKLISTED",
        /// The portrait on the document matches an entry of a block list.
        DocFaceBlacklisted = "DOC_FACE_BLACKLISTED",
        /// The document was shown on a screen.
        DocMobilePhoto = "DOC_MOBILE_PHOTO",
        /// The developer tools of the browser were open.
        DevToolsOpened = "DEV_TOOLS_OPENED",
        /// The document seems to be a print on paper.
        DocPrintSpoofed = "DOC_PRINT_SPOOFED",
        /// A photo is not genuine.
        FakePhoto = "FAKE_PHOTO",
        /// The money-laundering screening found the person.
        AmlSuspection = "AML_SUSPECTION",
        /// The money-laundering screening broke down.
        AmlFailed = "AML_FAILED",
        /// The document is listed as lost, stolen or invalid.
        LidSuspection = "LID_SUSPECTION",
        /// The look-up of lost and invalid documents broke down.
        LidFailed = "LID_FAILED",
        /// The screening for sanctions found the person.
        SanctionsSuspection = "SANCTIONS_SUSPECTION",
        /// The screening for sanctions broke down.
        SanctionsFailed = "SANCTIONS_FAILED",
        /// The criminal records check found the person.
        CriminalSuspected = "CRIMINAL_SUSPECTED",
        /// The criminal records check broke down.
        CriminalCheckFailed = "CRIMINAL_CHECK_FAILED",
        /// The look-up in the population register failed.
        RcFailed = "RC_FAILED",
        /// The check of the driving licence failed.
        DlFailed = "DL_FAILED",
        /// A machine cannot tell; a person has to.
        AutoUnverifiable = "AUTO_UNVERIFIABLE",
        /// The address on a utility bill could not be checked. An older value.
        UtilityAddressCheckFailure = "UTILITY_ADDRESS_CHECK_FAILURE",
    }
}

open_enum! {
    /// What differs from what was expected.
    MismatchTag {
        /// The first name.
        Name = "NAME",
        /// The last name.
        Surname = "SURNAME",
        /// The number of the document.
        DocumentNumber = "DOCUMENT_NUMBER",
        /// The personal code.
        PersonalCode = "PERSONAL_CODE",
        /// The date of expiry.
        ExpiryDate = "EXPIRY_DATE",
        /// The date of birth.
        DateOfBirth = "DATE_OF_BIRTH",
        /// The date of issue.
        DateOfIssue = "DATE_OF_ISSUE",
        /// The nationality.
        Nationality = "NATIONALITY",
        /// The sex.
        Sex = "SEX",
        /// The full name.
        FullName = "FULL_NAME",
        /// Something on the document.
        DocInfoMismatch = "DOC_INFO_MISMATCH",
        /// The person is younger than you allow.
        UnderAge = "UNDER_AGE",
        /// The person is older than you allow.
        OverAge = "OVER_AGE",
        /// You limit the age, and it could not be read.
        UnknownAge = "UNKNOWN_AGE",
        /// The address on the utility bill.
        UtilityAddress = "UTILITY_ADDRESS",
        /// The name on the utility bill.
        UtilityName = "UTILITY_NAME",
        /// The utility bill is too old.
        ExpiredUtilityBill = "EXPIRED_UTILITY_BILL",
        /// What was handed in for an additional step is not right.
        InvalidAdditionalStep = "INVALID_ADDITIONAL_STEP",
        /// What was asked for in an additional step was not handed in.
        AdditionalStepNotFound = "ADDITIONAL_STEP_NOT_FOUND",
        /// The data of an additional step.
        AdditionalStepInformationMismatch = "ADDITIONAL_STEP_INFORMATION_MISMATCH",
        /// What was handed in for an additional step is too old.
        ExpiredAdditionalStepInformation = "EXPIRED_ADDITIONAL_STEP_INFORMATION",
        /// The data of the population register.
        RegistryCenterInfoMismatch = "REGISTRY_CENTER_INFO_MISMATCH",
        /// The data of the driving licence register.
        DriverLicenseInfoMismatch = "DRIVER_LICENSE_INFO_MISMATCH",
        /// A proof of address of this type is not supported.
        NotSupportedPoaDocumentType = "NOT_SUPPORTED_POA_DOCUMENT_TYPE",
        /// Proofs of address of the country are not supported.
        NotSupportedPoaDocumentCountry = "NOT_SUPPORTED_POA_DOCUMENT_COUNTRY",
        /// The country of the proof of address.
        PoaCountriesMismatch = "POA_COUNTRIES_MISMATCH",
        /// The proof of address is a picture of a screen.
        PoaScreenshotDetected = "POA_SCREENSHOT_DETECTED",
        /// The data of the Global Data Consortium (GDC). An older value.
        GdcNotMatch = "GDC_NOT_MATCH",
    }
}
