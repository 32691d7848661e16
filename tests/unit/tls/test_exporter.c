/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/check_main.h"

#include <string.h>

#include "tls/exporter.h"

/* TS-0003 10.3.1: the 16 most significant octets are the identifier, the 32 least the key. */
START_TEST(splits_as_the_standard_says)
{
    uint8_t material[EXPORTER_OCTETS];
    struct exported_key exported;

    for (size_t i = 0; i < sizeof(material); i++)
        material[i] = (uint8_t)(0xa0 + i);
    exporter_split(material, &exported);
    ck_assert_uint_eq(sizeof(exported.id), 16);
    ck_assert_uint_eq(sizeof(exported.key), 32);
    ck_assert_uint_eq(exported.id[0], 0xa0);
    ck_assert_uint_eq(exported.id[15], 0xaf);
    ck_assert_uint_eq(exported.key[0], 0xb0);
    ck_assert_uint_eq(exported.key[31], 0xcf);
}
END_TEST

START_TEST(label_is_the_standard_s)
{
    ck_assert_str_eq(EXPORTER_LABEL, "EXPORTER-oneM2M-ESCertKE");
}
END_TEST

CHECK_MAIN("tls/exporter", splits_as_the_standard_says, label_is_the_standard_s)
