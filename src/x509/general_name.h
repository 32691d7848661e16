/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GeneralName (RFC 5280 4.2.1.6): its forms, and the syntax of those that we use. */
#pragma once

#include "base/bytes.h"
#include "identity/names.h"

/* The forms, numbered like the tags of the CHOICE. */
enum general_name_form {
    GENERAL_NAME_OTHER,
    GENERAL_NAME_RFC822,
    GENERAL_NAME_DNS,
    GENERAL_NAME_X400,
    GENERAL_NAME_DIRECTORY,
    GENERAL_NAME_EDI_PARTY,
    GENERAL_NAME_URI,
    GENERAL_NAME_IP,
    GENERAL_NAME_REGISTERED_ID,
    GENERAL_NAME_FORMS,
};

struct general_name {
    enum general_name_form form;
    struct bytes value; /* the content; for a directoryName the whole Name, header included */
};

/* Takes a name from the front of IN. Returns false and leaves IN as it is when the name is
 * malformed. An iPAddress may have any size here, since in a name constraint it has a mask too. */
bool general_name_take(struct bytes *in, struct general_name *out) WARN_UNUSED;

#define GENERAL_NAMES_MAX 64
#define IPV4_OCTETS       4
#define IPV6_OCTETS       16
/* How many names NAMES, the content of GeneralNames, has; 0 when one of them is malformed. It is
 * read up to GENERAL_NAMES_MAX + 1 names, which stands for any greater number. */
size_t general_names_count(struct bytes names);
/* Is NAMES the content of GeneralNames: one to GENERAL_NAMES_MAX, none malformed? */
bool general_names_are_valid(struct bytes names);

/* Sets HOST to the host of URI, without its port. False when URI has no authority (RFC 3986 3.2: it
 * follows "//", at the front or after a scheme) or the host is not a DNS name. */
bool uri_host(struct bytes uri, struct bytes *host) WARN_UNUSED;
/* Is URI printable ASCII without a wildcard that begins with a scheme or, like an Absolute-AE-ID,
 * with "//" and an authority? */
bool uri_is_valid(struct bytes uri);

/* Splits the content of an otherName into TYPE, the content of type-id, and VALUE, header included;
 * false when it is malformed. */
bool other_name_split(struct bytes other_name, struct bytes *type, struct bytes *value) WARN_UNUSED;
/* Is TYPE in the M2M Device Indication ID arc (TS-0003 10.1)? */
bool other_name_type_is_device(struct bytes type);
/* Writes the whole device id, type-id and value joined as a dotted OID, to OUT. With MAY_BE_EMPTY
 * the value may be an empty string, as in a constraint on all devices of that type-id. False when
 * it is malformed or too long. */
bool device_id_text(struct bytes type, struct bytes value, bool may_be_empty, char out[NAME_OCTETS])
    WARN_UNUSED;

#define DEVICE_ARC_TEXT    "0.2.481.1"
#define DEVICE_NAME_OCTETS (NAME_OCTETS + 16)

/* Writes the content of an otherName for the whole device id TEXT into STORAGE, and sets OUT to a
 * view of it. False when TEXT does not begin with DEVICE_ARC_TEXT and a dot. */
bool device_name_write(const char *text, uint8_t storage[DEVICE_NAME_OCTETS], struct bytes *out)
    WARN_UNUSED;
