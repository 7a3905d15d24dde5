#ifndef CLIBXML2_SHIM_H
#define CLIBXML2_SHIM_H
#include <libxml/xmlversion.h>
// The headers would pull in the system's ICU, which clashes with the ICU inside Foundation.
// (This hides the last fields of xmlCharEncodingHandler: never read or allocate that struct from Swift.)
#undef LIBXML_ICU_ENABLED
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlreader.h>
#include <libxml/xmlschemas.h>

// `xmlFree` is a mutable global function pointer, which Swift 6 refuses to read.
static inline void kpi_xml_free(void *pointer) { xmlFree(pointer); }
#endif
