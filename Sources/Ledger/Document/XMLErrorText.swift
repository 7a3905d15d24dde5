import CLibXML2

/// Our own sentences for the errors of libxml2, whose messages repeat the input at any length.
enum XMLErrorText {
    static func sentence(parserCode: Int32) -> String {
        let code = xmlParserErrors(UInt32(bitPattern: parserCode))
        return switch code {
        case XML_ERR_DOCUMENT_EMPTY, XML_ERR_DOCUMENT_START: "there is no element"
        case XML_ERR_DOCUMENT_END: "something follows the root element"
        case XML_ERR_TAG_NAME_MISMATCH: "an end tag does not match its start tag"
        case XML_ERR_TAG_NOT_FINISHED, XML_ERR_GT_REQUIRED, XML_ERR_LTSLASH_REQUIRED:
            "a tag is not finished"
        case XML_ERR_ATTRIBUTE_NOT_STARTED, XML_ERR_ATTRIBUTE_NOT_FINISHED, XML_ERR_ATTRIBUTE_WITHOUT_VALUE,
            XML_ERR_LT_IN_ATTRIBUTE, XML_ERR_SPACE_REQUIRED, XML_ERR_EQUAL_REQUIRED:
            "an attribute is not well-formed"
        case XML_ERR_ATTRIBUTE_REDEFINED, XML_NS_ERR_ATTRIBUTE_REDEFINED: "an attribute occurs twice in a tag"
        case XML_ERR_UNDECLARED_ENTITY:
            "an entity is not declared (only &lt; &gt; &amp; &quot; &apos; are known)"
        case XML_ERR_ENTITYREF_NO_NAME, XML_ERR_ENTITYREF_SEMICOL_MISSING:
            "an ampersand does not begin an entity"
        case XML_ERR_NAME_REQUIRED: "a name is missing"
        case XML_ERR_INVALID_CHAR, XML_ERR_INVALID_CHARREF, XML_ERR_INVALID_DEC_CHARREF,
            XML_ERR_INVALID_HEX_CHARREF:
            "a character is not allowed in XML"
        case XML_ERR_COMMENT_NOT_FINISHED, XML_ERR_HYPHEN_IN_COMMENT: "a comment is not well-formed"
        case XML_ERR_CDATA_NOT_FINISHED, XML_ERR_MISPLACED_CDATA_END: "a CDATA section is not well-formed"
        case XML_ERR_XMLDECL_NOT_STARTED, XML_ERR_XMLDECL_NOT_FINISHED, XML_ERR_RESERVED_XML_NAME,
            XML_ERR_VERSION_MISSING, XML_ERR_UNKNOWN_VERSION, XML_ERR_STANDALONE_VALUE:
            "the XML declaration is not well-formed"
        case XML_ERR_UNKNOWN_ENCODING, XML_ERR_UNSUPPORTED_ENCODING, XML_ERR_INVALID_ENCODING:
            "the encoding is not known"
        case XML_NS_ERR_UNDEFINED_NAMESPACE: "a namespace prefix is not declared"
        case XML_NS_ERR_QNAME, XML_NS_ERR_COLON, XML_NS_ERR_EMPTY, XML_NS_ERR_XML_NAMESPACE,
            XML_ERR_NS_DECL_ERROR:
            "a namespace is not used as it may be"
        case XML_ERR_NAME_TOO_LONG: "a name is too long"
        case XML_ERR_DOCTYPE_NOT_FINISHED: "a DOCTYPE is not accepted"
        default: "not well-formed XML (libxml2 error \(parserCode))"
        }
    }

    /// - Parameter schemaError: as handed to the structured error function of a validation.
    static func refusal(schemaError: UnsafeMutablePointer<xmlError>) -> DocumentError {
        let code = xmlParserErrors(UInt32(bitPattern: unsafe schemaError.pointee.code))
        guard let place = unsafe schemaError.pointee.node else {
            return DocumentError(kind: .invalid(element: "", line: 1), reason: "breaks the schema")
        }
        let node = unsafe place.assumingMemoryBound(to: xmlNode.self)
        guard unsafe node.pointee.type == XML_ATTRIBUTE_NODE, let parent = unsafe node.pointee.parent else {
            return .invalid(unsafe XMLElement(node), sentence(elementCode: code))
        }
        // An attribute's struct begins with the same fields as a node's.
        let name = DocumentError.excerpt(unsafe String(xml: node.pointee.name))
        return .invalid(
            unsafe XMLElement(parent), "the attribute \"\(name)\" " + sentence(attributeCode: code))
    }

    private static func sentence(elementCode code: xmlParserErrors) -> String {
        switch code {
        case XML_SCHEMAV_CVC_ELT_1: "the schema has no such document"
        case XML_SCHEMAV_ELEMENT_CONTENT: "an element is missing, in the wrong place, or not known here"
        case XML_SCHEMAV_CVC_COMPLEX_TYPE_4: "an attribute is missing that the schema demands"
        case XML_SCHEMAV_CVC_COMPLEX_TYPE_2_1, XML_SCHEMAV_CVC_COMPLEX_TYPE_2_2,
            XML_SCHEMAV_CVC_COMPLEX_TYPE_2_3, XML_SCHEMAV_CVC_TYPE_3_1_1, XML_SCHEMAV_CVC_TYPE_3_1_2:
            "the content is not of the kind that the schema demands"
        default: "the content " + sentence(attributeCode: code)
        }
    }

    private static func sentence(attributeCode code: xmlParserErrors) -> String {
        switch code {
        case XML_SCHEMAV_CVC_COMPLEX_TYPE_3_2_1, XML_SCHEMAV_CVC_COMPLEX_TYPE_3_2_2: "is not known here"
        case XML_SCHEMAV_CVC_MINLENGTH_VALID: "is too short"
        case XML_SCHEMAV_CVC_MAXLENGTH_VALID: "is too long"
        case XML_SCHEMAV_CVC_LENGTH_VALID: "has the wrong length"
        case XML_SCHEMAV_CVC_PATTERN_VALID: "does not have the form that the schema demands"
        case XML_SCHEMAV_CVC_ENUMERATION_VALID: "is none of the values that the schema names"
        default: "does not have the type that the schema demands"
        }
    }
}
