/* SPDX-License-Identifier: MIT
 *
 * For ../configure --enable-coverage: what a tool has run is written down before
 * it dies of a signal that it has caught, too. The linker puts this in the place
 * of raise(3).
 */
void __gcov_dump(void);
void __gcov_reset(void);
int __real_raise(int signal);
int __wrap_raise(int signal);

int __wrap_raise(int signal)
{
    __gcov_dump();
    __gcov_reset();
    return __real_raise(signal);
}
