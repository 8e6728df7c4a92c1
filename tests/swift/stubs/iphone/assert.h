#pragma once
#define assert(condition) ((void)(condition))
#define static_assert _Static_assert
