// The start of a box for aarch64. As start_x86_64.S, which says what it does.

    .set P_TABLE,         0
    .set P_TABLE_SIZE,    4
    .set P_PACKED,        8
    .set P_PID,          12
    .set P_MINE,         16
    .set P_UIDS,         20
    .set P_GIDS,         24
    .set P_TEXTS,        28
    .set P_TEXTS_AT,     32
    .set P_ERRNOS,       36
    .set P_KEPT,         40
    .set P_SET,          44
    .set P_SET_COUNT,    48
    .set P_PROGRAM,      52
    .set P_PROGRAM_COUNT,56
    .set P_FLAGS,        60
    .set P_NULLS,        64
    .set P_COPIES,       68
    .set P_STREAMS,      72
    .set P_ANSWERS,      76
    .set P_PIDS,         80
    .set P_AFTER,        84
    .set P_SIZE,         88

    .set CLEARS,      0         // flags, by their bits
    .set OWN_SESSION, 1
    .set FOR_ROOT,    2
    .set SHARED,      4

    // Refusals, by their numbers among the texts (texts.ts).
    .set IS_SETUID, 0
    .set IS_FOR_ROOT, 1
    .set NO_PROGRAM, 2
    .set NO_MEMORY, 3
    .set NOT_WRITTEN, 4
    .set BAD_CALL, 9
    .set OUT_OF_TIME, 10
    .set REFUSALS, 11

    .set SHORTEST, 3
    .set FIX, 1

    .set FAILED_AT,   0
    .set FAILED_WITH, 4
    .set NOT_STARTED, 12
    .set RECORD_SIZE, 88

    .set COPY_FAILED, 8
    .set COPIES_BOTH, 12
    .set OWN_STDERR, 16
    .set TIMED, 20

    .set DUP3, 24
    .set FCNTL, 25
    .set FACCESSAT, 48
    .set OPENAT, 56
    .set CLOSE, 57
    .set WRITE, 64
    .set EXIT_GROUP, 94
    .set KILL, 129
    .set RT_SIGTIMEDWAIT, 137
    .set GETPID, 172
    .set GETEUID, 175
    .set GETEGID, 177
    .set EXECVE, 221
    .set MMAP, 222
    .set WAIT4, 260

    .set AT_FDCWD, -100
    .set AT_SECURE, 23
    .set F_GETFD, 1
    .set O_RDWR, 2
    .set ENOENT, 2
    .set EACCES, 13
    .set ENOTDIR, 20
    .set SIGKILL, 9
    .set SIGCHLD, 17
    .set SIGSTOP, 19
    .set SIGTSTP, 20
    .set SIGTTOU, 22
    .set SIGSYS, 31
    .set SI_CODE, 8
    .set SI_TIMER, -2
    .set TIMED_OUT, 124
    .set WNOHANG, 1
    .set PROT_READ_WRITE, 3
    .set MAP_SHARED_FIXED_ANONYMOUS, 0x31

    .macro system number
    mov     x8, \number
    svc     0
    .endm

    .text
    .globl  _start
// x19: the environment, x20: the parameters, x21: the table, x22: argv, x23: the stack at the start,
// x24: how many variables
_start:
    mov     x23, sp
    adr     x20, _start - P_SIZE
    ldr     w21, [x20, P_TABLE]

    ldr     x0, [x23]
    add     x19, x23, x0, lsl 3
    add     x19, x19, 16
    mov     x1, x19
    mov     x24, 0
1:  ldr     x0, [x1], 8
    cbz     x0, 2f
    add     x24, x24, 1
    b       1b
2:  ldp     x0, x2, [x1], 16
    cbz     x0, 3f
    cmp     x0, AT_SECURE
    b.ne    2b
    cbz     x2, 3f
    mov     w22, IS_SETUID
    b       refuse
3:  system  GETEUID
    cbz     w0, 4f
    ldr     w2, [x20, P_FLAGS]
    tbz     w2, FOR_ROOT, 4f
    mov     w22, IS_FOR_ROOT
    b       refuse
4:  ldr     w2, [x20, P_FLAGS]
    tbz     w2, SHARED, 5f
    mov     x0, x21
    ldr     w1, [x20, P_TABLE_SIZE]
    mov     x2, PROT_READ_WRITE
    mov     x3, MAP_SHARED_FIXED_ANONYMOUS
    mov     x4, -1
    mov     x5, 0
    system  MMAP
    mov     w22, NO_MEMORY
    cmp     x0, x21
    b.ne    refuse
5:  mov     x9, 0               // a descriptor of the launch may not be a standard stream
1:  mov     x0, x9
    mov     x1, F_GETFD
    system  FCNTL
    tbz     w0, 31, 2f
    mov     x0, AT_FDCWD
    adr     x1, dev_null
    mov     x2, O_RDWR
    system  OPENAT
2:  add     x9, x9, 1
    cmp     x9, 3
    b.lo    1b
    ldr     w1, [x20, P_PACKED]
    mov     x0, x21
    bl      unpack
    ldr     w2, [x20, P_STREAMS]
    cbz     w2, 6f
    blr     x2
    mov     w22, w1
    cbnz    w1, refuse
6:  system  GETEUID
    ldr     w1, [x20, P_UIDS]
    bl      write_ids
    system  GETEGID
    ldr     w1, [x20, P_GIDS]
    bl      write_ids
    system  GETPID
    ldr     w1, [x20, P_PIDS]
    bl      write_ids

    // argv
    ldr     x5, [x23]
    cbz     x5, 7f
    sub     x5, x5, 1
7:  ldr     w3, [x20, P_PROGRAM_COUNT]
    add     x2, x5, x3
    mov     w22, NO_PROGRAM
    cbz     x2, refuse
    add     x2, x2, 2           // the NULL, and one more for the stack's 16 bytes
    and     x2, x2, -2
    mov     x0, sp
    sub     x0, x0, x2, lsl 3
    mov     sp, x0
    mov     x22, x0
    ldr     w1, [x20, P_PROGRAM]
    bl      list_strings
    add     x1, x23, 16
8:  cbz     x5, 9f
    ldr     x2, [x1], 8
    str     x2, [x0], 8
    sub     x5, x5, 1
    b       8b
9:  str     xzr, [x0]

    // The environment
    ldr     w3, [x20, P_SET_COUNT]
    add     x2, x24, x3
    add     x2, x2, 2
    and     x2, x2, -2
    mov     x0, sp
    sub     x0, x0, x2, lsl 3
    mov     sp, x0
10: ldr     x5, [x19], 8
    cbz     x5, 12f
    ldr     w2, [x20, P_FLAGS]
    tbz     w2, CLEARS, 11f
    ldr     w1, [x20, P_KEPT]
    bl      is_listed
    cbz     w6, 10b
11: ldr     w1, [x20, P_SET]
    bl      is_listed
    cbnz    w6, 10b
    str     x5, [x0], 8
    b       10b
12: ldr     w3, [x20, P_SET_COUNT]
    ldr     w1, [x20, P_SET]
    bl      list_strings
    str     xzr, [x0]
    mov     x19, sp

    mov     x0, x21
    mov     w1, 16
    bl      run                 // which leaves the stack alone, and does not keep x0 to x14

    ldr     w1, [x20, P_MINE]
    ldr     w2, [x21, x1]
    ldr     w3, [x21, FAILED_WITH]
    orr     w2, w2, w3
    cbnz    w2, launcher

// The container's process: executes the program, as execvp(3) does.
    ldr     x9, [x22]
    mov     x1, x9
1:  ldrb    w2, [x1], 1
    cmp     w2, '/'
    b.eq    named
    cbnz    w2, 1b
    sub     x10, x1, x9         // the size of the name
    mov     x1, x19
2:  ldr     x11, [x1], 8
    cbz     x11, 3f
    ldrb    w2, [x11]
    cmp     w2, 'P'
    b.ne    2b
    ldrb    w2, [x11, 1]
    cmp     w2, 'A'
    b.ne    2b
    ldrb    w2, [x11, 2]
    cmp     w2, 'T'
    b.ne    2b
    ldrb    w2, [x11, 3]
    cmp     w2, 'H'
    b.ne    2b
    ldrb    w2, [x11, 4]
    cmp     w2, '='
    b.ne    2b
    add     x11, x11, 5
    b       4f
3:  adr     x11, default_path
4:  mov     x1, x11             // room for the longest
5:  ldrb    w2, [x1], 1
    cbnz    w2, 5b
    sub     x1, x1, x11
    add     x1, x1, x10
    add     x1, x1, 16
    and     x1, x1, -16
    mov     x2, sp
    sub     x2, x2, x1
    mov     sp, x2
    mov     w24, ENOENT
directory:
    mov     x0, sp
1:  ldrb    w12, [x11], 1
    cmp     w12, ':'
    b.eq    2f
    cbz     w12, 2f
    strb    w12, [x0], 1
    b       1b
2:  mov     x1, sp
    cmp     x0, x1
    b.eq    3f                  // an empty one is the working directory
    mov     w2, '/'
    strb    w2, [x0], 1
3:  mov     x1, x9
    mov     x3, x10
4:  ldrb    w2, [x1], 1
    strb    w2, [x0], 1
    subs    x3, x3, 1
    b.ne    4b
    mov     x0, sp
    mov     x1, x22
    mov     x2, x19
    system  EXECVE
    neg     w0, w0
    cmp     w0, ENOENT
    b.eq    5f
    cmp     w0, ENOTDIR
    b.eq    5f
    cmp     w0, EACCES
    b.ne    give_up
    mov     x0, AT_FDCWD        // denied is the file, or a directory on the way to it
    mov     x1, sp
    mov     x2, 0
    system  FACCESSAT
    cbnz    w0, 5f
    mov     w24, EACCES
5:  cbnz    w12, directory
    mov     w0, w24
    b       give_up
named:
    mov     x0, x9
    mov     x1, x22
    mov     x2, x19
    system  EXECVE
    neg     w0, w0
give_up:
    str     w0, [x21, NOT_STARTED]
    mov     w0, 127
    b       exit

launcher:
    ldr     w1, [x20, P_PID]
    ldr     w24, [x21, x1]
    sub     sp, sp, 160
    cbz     w24, failed
reap:
    mov     x0, -1
    mov     x1, sp
    mov     x2, WNOHANG
    mov     x3, 0
    system  WAIT4
    cmp     w0, 0
    b.le    wait
    bl      note_copy
    cmp     w0, w24
    b.ne    reap
    ldr     w1, [x21, FAILED_WITH]
    cbnz    w1, failed
    ldr     w1, [x21, NOT_STARTED]
    cbnz    w1, not_started
    ldr     w1, [sp]
    ubfx    w0, w1, 8, 8
    ands    w1, w1, 127
    b.eq    1f
    add     w0, w1, 128
1:  mov     w24, w0
    ldr     w2, [x20, P_COPIES]
    ldr     w2, [x2, TIMED]
    mov     w22, BAD_CALL
    cbz     w2, 2f
    mov     w24, TIMED_OUT
    mov     w22, OUT_OF_TIME
    b       3f
2:  cmp     w0, 128 + SIGSYS
    b.ne    finish
3:  bl      say_refusal
    mov     w0, w24

finish:
    mov     w24, w0
    ldr     w1, [x20, P_AFTER]
    cbz     w1, 4f
    mov     x0, x21
    bl      run
4:
    ldr     w19, [x20, P_COPIES]
    ldr     x1, [x19]
    cbz     x1, 3f
    ldr     w1, [x19, 4]
    ldr     w2, [x19, COPIES_BOTH]
    orr     w1, w1, w2
    cbz     w1, 1f
    mov     x0, 2
    system  CLOSE
1:  mov     x0, 1
    system  CLOSE
2:  mov     x0, -1
    mov     x1, sp
    mov     x2, 0
    mov     x3, 0
    system  WAIT4
    tbnz    w0, 31, 3f
    bl      note_copy
    ldr     x1, [x19]
    cbnz    x1, 2b
3:  ldr     w1, [x19, COPY_FAILED]
    mov     w0, w24
    cbz     w1, exit
    mov     w22, NOT_WRITTEN
    ldr     w0, [x19, OWN_STDERR]
    cmp     w0, 0
    b.le    refuse
    mov     x1, 2
    mov     x2, 0
    system  DUP3
    b       refuse
exit:
    system  EXIT_GROUP
wait:
    adr     x0, every_signal
    add     x1, sp, 16
    mov     x2, 0
    mov     x3, 8
    system  RT_SIGTIMEDWAIT
    cmp     w0, SIGCHLD
    b.eq    reap
    tbnz    w0, 31, wait
    mov     w1, w0
    mov     w0, w24
    ldr     w2, [sp, 16 + SI_CODE]
    cmp     w2, SI_TIMER
    b.eq    timed
    cmp     w2, 0
    b.le    pass                // a process has sent it
    // The terminal has sent it, to the program too, unless that has a session of its own. What stops
    // the program stops the launcher as well, so that the shell sees it.
    sub     w2, w1, SIGTSTP
    cmp     w2, SIGTTOU - SIGTSTP
    b.hi    1f
    system  GETPID
    mov     x1, SIGSTOP
pass:
    system  KILL
    b       wait
1:  ldr     w2, [x20, P_FLAGS]
    tbz     w2, OWN_SESSION, wait
    b       pass
timed:
    ldr     w2, [x20, P_COPIES]
    ldr     w3, [x2, TIMED]
    str     w1, [x2, TIMED]
    cbz     w3, pass
    mov     x1, SIGKILL
    b       pass

failed:
    bl      unpack_texts
    adr     x1, begins
    bl      say
    ldr     w3, [x21, FAILED_AT]
    sub     w3, w3, 16
    mov     w2, RECORD_SIZE
    udiv    w3, w3, w2
    add     w3, w3, REFUSALS
    ldr     w1, [x20, P_TEXTS_AT]
    bl      nth
    mov     x25, x1
    bl      say
    ldr     w23, [x21, FAILED_WITH]
    mov     w24, 125
    ldr     w1, [x20, P_ANSWERS]
    ldr     w4, [x21, FAILED_AT]
1:  ldp     w2, w3, [x1], 8
    cbz     w2, says_errno
    cmp     w2, w4
    b.ne    1b
    and     w23, w3, 0x7fffffff
    tbnz    w3, 31, says_errno
    ldr     w23, [x21, x3]
    neg     w23, w23
    b       says_errno
not_started:
    bl      unpack_texts
    adr     x1, program
    bl      say
    ldr     x1, [x22]
    bl      say
    adr     x25, newline
    ldr     w23, [x21, NOT_STARTED]
    mov     w24, 126
    cmp     w23, ENOENT
    b.ne    says_errno
    mov     w24, 127
says_errno:
    adr     x1, fails
    bl      say
    ldr     w1, [x20, P_ERRNOS]
1:  ldrb    w2, [x1], 1
    cmp     w2, w23
    b.eq    3f
    cbz     w2, 3f
2:  ldrb    w2, [x1], 1
    cbnz    w2, 2b
    b       1b
3:  bl      say
    mov     x1, x25             // the fixes are behind the text, each with its errno
4:  ldrb    w2, [x1], 1
    cmp     w2, FIX
    b.hi    4b
    b.lo    5f
    ldrb    w2, [x1], 1
    cmp     w2, w23
    b.ne    4b
    mov     x25, x1
    adr     x1, indent
    bl      say
    mov     x1, x25
    bl      say
5:  adr     x1, newline
    bl      say
    mov     w0, w24
    b       finish

// Refuses to run, with the text of the number w22.
refuse:
    bl      say_refusal
    mov     w0, 125
    b       exit

say_refusal:
    mov     x26, x30
    bl      unpack_texts
    adr     x1, begins
    bl      say
    ldr     w1, [x20, P_TEXTS_AT]
    mov     w3, w22
    bl      nth
    bl      say
    mov     x30, x26
    adr     x1, newline

// Writes the text at x1 to the standard error.
say:
    mov     x2, -1
1:  add     x2, x2, 1
    ldrb    w3, [x1, x2]
    cmp     w3, FIX
    b.hi    1b
    mov     x0, 2
    system  WRITE
    ret

// Moves x1 over as many strings as w3 says.
nth:
    cbz     w3, 2f
1:  ldrb    w2, [x1], 1
    cbnz    w2, 1b
    sub     w3, w3, 1
    b       nth
2:  ret

// Writes the addresses of the strings at x1, as many as w3 says, to x0. Leaves x5 alone.
list_strings:
    cbz     w3, 2f
    str     x1, [x0], 8
1:  ldrb    w2, [x1], 1
    cbnz    w2, 1b
    sub     w3, w3, 1
    b       list_strings
2:  ret

// Whether the variable at x5 is in the list at x1: w6. By its name, up to "=", or by how it begins.
is_listed:
    ldrb    w2, [x1]
    mov     w6, 0
    cbz     w2, 4f
    mov     x3, x5
1:  ldrb    w2, [x1], 1
    cbz     w2, 3f
    ldrb    w4, [x3], 1
    cmp     w2, w4
    b.ne    2f
    cmp     w2, '='
    b.ne    1b
3:  mov     w6, 1
    ret
2:  ldrb    w2, [x1], 1
    cbnz    w2, 2b
    b       is_listed
4:  ret

// Writes the number in w0 as ten digits at each offset of the list at x1.
write_ids:
    cbz     w1, 3f
    mov     w9, 10
1:  ldr     w2, [x1], 4
    cbz     w2, 3f
    add     x2, x21, x2
    mov     w3, w0
    mov     x4, 10
2:  udiv    w5, w3, w9
    msub    w6, w5, w9, w3
    add     w6, w6, '0'
    mov     w3, w5
    sub     x4, x4, 1
    strb    w6, [x2, x4]
    cbnz    x4, 2b
    b       1b
3:  ret

unpack_texts:
    ldr     w1, [x20, P_TEXTS]
    ldr     w0, [x20, P_TEXTS_AT]

// Unpacks what lies at x1 to x0 (pack.ts has the format).
unpack:
    mov     x7, x30
    ldr     w2, [x1], 4
    add     x9, x0, x2
1:  cmp     x0, x9
    b.hs    4f
    ldrb    w3, [x1], 1
    lsr     w2, w3, 4
    bl      length
2:  cbz     w2, 3f
    ldrb    w4, [x1], 1
    strb    w4, [x0], 1
    sub     w2, w2, 1
    b       2b
3:  cmp     x0, x9
    b.hs    4f
    ldrb    w5, [x1], 1
    tbz     w5, 7, 6f
    ldrb    w4, [x1], 1
    and     w5, w5, 0x7f
    orr     w5, w5, w4, lsl 7
6:  and     w2, w3, 15
    bl      length
    add     w2, w2, SHORTEST
    sub     x5, x0, x5
5:  ldrb    w4, [x5], 1
    strb    w4, [x0], 1
    subs    w2, w2, 1
    b.ne    5b
    b       1b
4:  ret     x7
length:
    cmp     w2, 15
    b.ne    2f
1:  ldrb    w4, [x1], 1
    add     w2, w2, w4
    cmp     w4, 255
    b.eq    1b
2:  ret

// Notes that the process w0 has ended, if it is a copy. Its status is on the stack.
note_copy:
    ldr     w2, [x20, P_COPIES]
    ldr     w3, [x2]
    mov     x4, x2
    cmp     w0, w3
    b.eq    1f
    add     x4, x2, 4
    ldr     w3, [x4]
    cmp     w0, w3
    b.ne    2f
1:  str     wzr, [x4]
    ldr     w3, [sp]
    ldr     w4, [x2, COPY_FAILED]
    orr     w3, w3, w4
    str     w3, [x2, COPY_FAILED]
2:  ret

    .p2align 3
every_signal:
    .quad   -1
default_path:
    .asciz  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
dev_null:
    .asciz  "/dev/null"
begins:
    .asciz  "box: "
fails:
    .asciz  " failed: "
program:
    .asciz  "box: execve of "
indent:
    .asciz  "\n  "
newline:
    .asciz  "\n"
    .section .note.GNU-stack, "", %progbits
