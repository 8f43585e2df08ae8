//! Tests of the program as people call it: arguments in; stdout, stderr and status out. What the
//! library promises is tested in `tests/it`.
