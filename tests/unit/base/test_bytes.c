/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/bytes.h"

#include <string.h>

#include "support/check_main.h"

START_TEST(equality)
{
    ck_assert(bytes_equal(bytes_of_string("ab"), bytes_of("abc", 2)));
    ck_assert(!bytes_equal(bytes_of_string("ab"), bytes_of_string("ac")));
    ck_assert(!bytes_equal(bytes_of_string("ab"), bytes_of_string("abc")));
    ck_assert(bytes_equal((struct bytes){0}, bytes_of_string("")));
}
END_TEST

START_TEST(takes_numbers_big_endian)
{
    static const uint8_t octets[] = {1, 2, 3};
    struct bytes in = bytes_of(octets, sizeof(octets));
    uint8_t one;
    uint16_t two;
    ck_assert(bytes_take_u8(&in, &one) && bytes_take_u16(&in, &two));
    ck_assert_uint_eq(one, 1);
    ck_assert_uint_eq(two, 0x0203);
    ck_assert_uint_eq(in.size, 0);
}
END_TEST

START_TEST(takes_blocks)
{
    static const uint8_t octets[] = {1, 'a', 0, 2, 'b', 'c', 0, 0, 0, 'd'};
    struct bytes in = bytes_of(octets, sizeof(octets)), block;
    ck_assert(bytes_take_block_8(&in, &block) && bytes_equal(block, bytes_of_string("a")));
    ck_assert(bytes_take_block_16(&in, &block) && bytes_equal(block, bytes_of_string("bc")));
    ck_assert(bytes_take_block_24(&in, &block) && block.size == 0);
    ck_assert(bytes_take(&in, 1, &block) && block.data[0] == 'd');
}
END_TEST

START_TEST(what_is_too_short_stays_unmoved)
{
    static const uint8_t octets[] = {2, 0};
    struct bytes in = bytes_of(octets, sizeof(octets)), block;
    ck_assert(!bytes_take(&in, 3, &block));
    ck_assert(!bytes_take(&in, SIZE_MAX, &block));
    ck_assert(!bytes_take_block_8(&in, &block)); /* says 2, holds 1 */
    ck_assert(!bytes_take_block_16(&in, &block));
    ck_assert(!bytes_take_block_24(&in, &block));
    ck_assert_ptr_eq(in.data, octets);
    ck_assert_uint_eq(in.size, 2);
    in = (struct bytes){0};
    ck_assert(!bytes_take_u8(&in, &(uint8_t){0}));
    ck_assert(bytes_take(&in, 0, &block));
}
END_TEST

START_TEST(hex_both_ways)
{
    static const uint8_t octets[] = {0x00, 0x9a, 0xff};
    char text[7];
    uint8_t back[3];
    bytes_to_hex(bytes_of(octets, 3), text);
    ck_assert_str_eq(text, "009aff");
    ck_assert(bytes_from_hex("009AfF", back, 3));
    ck_assert_mem_eq(back, octets, 3);
}
END_TEST

START_TEST(hex_of_wrong_length_or_digits_is_refused)
{
    uint8_t out[2];
    ck_assert(!bytes_from_hex("", out, 2));
    ck_assert(!bytes_from_hex("123", out, 2));
    ck_assert(!bytes_from_hex("12345", out, 2));
    ck_assert(!bytes_from_hex("12g4", out, 2));
    ck_assert(!bytes_from_hex("1 34", out, 2));
    ck_assert(!bytes_from_hex("-123", out, 2));
}
END_TEST

START_TEST(buffer_grows_to_its_limit_and_no_further)
{
    struct buffer buffer AUTO_BUFFER = {.limit = 1000};
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(buffer_append(&buffer, "0123456789", 10), RESULT_OK);
    ck_assert_int_eq(buffer_append(&buffer, "x", 1), RESULT_BUSY);
    ck_assert_int_eq(buffer_reserve(&buffer, SIZE_MAX), RESULT_BUSY);
    ck_assert_int_eq(buffer_append(&buffer, NULL, 0), RESULT_OK);
    ck_assert_uint_eq(buffer.size, 1000);
    ck_assert_uint_le(buffer.capacity, 1000);
    ck_assert_mem_eq(buffer.data + 990, "0123456789", 10);
}
END_TEST

START_TEST(buffer_consumes_from_the_front)
{
    struct buffer buffer AUTO_BUFFER = {.limit = 100};
    ck_assert_int_eq(buffer_append(&buffer, "GET key", 7), RESULT_OK);
    buffer_consume(&buffer, 4);
    ck_assert(bytes_equal(buffer_bytes(&buffer), bytes_of_string("key")));
    static const uint8_t wiped[4] = {0};
    ck_assert_mem_eq(buffer.data + 3, wiped, 4);
    buffer_consume(&buffer, 50);
    ck_assert_uint_eq(buffer.size, 0);
}
END_TEST

START_TEST(buffer_reserves_room_to_write_into)
{
    struct buffer buffer AUTO_BUFFER = {.limit = 1 << 20};
    ck_assert_int_eq(buffer_append(&buffer, "ab", 2), RESULT_OK);
    ck_assert_int_eq(buffer_reserve(&buffer, 100000), RESULT_OK);
    memset(buffer.data + buffer.size, 'c', 100000);
    buffer.size += 100000;
    ck_assert_mem_eq(buffer.data, "abc", 3);
}
END_TEST

START_TEST(a_released_buffer_can_be_used_again)
{
    struct buffer buffer AUTO_BUFFER = {.limit = 10};
    ck_assert_int_eq(buffer_append(&buffer, "once", 4), RESULT_OK);
    buffer_release(&buffer);
    ck_assert_ptr_null(buffer.data);
    ck_assert_int_eq(buffer_append(&buffer, "twice", 5), RESULT_OK);
    ck_assert(bytes_equal(buffer_bytes(&buffer), bytes_of_string("twice")));
}
END_TEST

CHECK_MAIN("base/bytes", equality, takes_numbers_big_endian, takes_blocks,
    what_is_too_short_stays_unmoved, hex_both_ways, hex_of_wrong_length_or_digits_is_refused,
    buffer_grows_to_its_limit_and_no_further, buffer_consumes_from_the_front,
    buffer_reserves_room_to_write_into, a_released_buffer_can_be_used_again)
