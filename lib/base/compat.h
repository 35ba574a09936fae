/* What C17 and the compiler need to agree on. Every file includes it by way of its own header. */
#ifndef SEKISHO_BASE_COMPAT_H
#define SEKISHO_BASE_COMPAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NODISCARD         __attribute__((warn_unused_result))
#define NORETURN          _Noreturn
#define PRINTF_LIKE(a, b) __attribute__((format(printf, a, b)))
#define COUNT_OF(array)   (sizeof(array) / sizeof(0 [array]))

/* Sum and product that say when they do not fit. */
NODISCARD static inline bool size_add(size_t a, size_t b, size_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

NODISCARD static inline bool size_mul(size_t a, size_t b, size_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

#endif
