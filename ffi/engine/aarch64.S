// The engine for aarch64: runs a table of system calls, which program.ts lays out.
//
// As in x86_64.S: everything in registers, the stack untouched (this one never uses it at all).
// The kernel preserves every register but x0 across svc.

    .set FAILED_AT,   0          // header: offset of the first record that failed
    .set FAILED_WITH, 4          // header: its errno; 0 if none failed

    .set NUMBER,      0          // record: number of the system call
    .set REFERENCES,  4          // bit i: argument i is the offset of the value, not the value
    .set ACCEPTED,    8          // errnos that are not failures, a byte each
    .set ON_ZERO,    16          // the next record: its offset, or 0 to end the walk
    .set ON_ACCEPTED,20
    .set ON_FAILURE, 24
    .set ON_SUCCESS, 28
    .set ARGUMENTS,  32
    .set RESULT,     80

    .set RETRIED,     6          // bit of REFERENCES: the call is made again where it answers EAGAIN
    .set TRIES,     1024         // how often at most
    .set EAGAIN,     11

    .set UNDER_WAY, -1 << 32     // a result that no system call gives

    // x9: the table, x10: the record, x11: its references, x14: the tries that it has left;
    // caller-saved, so nothing to restore
    .macro argument index
    ldr     x\index, [x10, ARGUMENTS + 8 * \index]
    tbz     w11, \index, 1f
    ldr     x\index, [x9, x\index]
1:
    .endm

    .text
    .p2align 4
    .globl  run
    .type   run, @function
// u32 run(table, u32 offset of the first record): the errno of the first failure, or 0
run:
    mov     x9, x0
    add     x10, x0, w1, uxtw
record:
    mov     w14, TRIES
call:
    ldr     w11, [x10, REFERENCES]
    argument 0
    argument 1
    argument 2
    argument 3
    argument 4
    argument 5
    ldr     w8, [x10, NUMBER]
    mov     x12, UNDER_WAY
    str     x12, [x10, RESULT]
    svc     0
    cbz     x0, zero
    str     x0, [x10, RESULT]
    cmn     x0, 4095
    b.hs    error
    ldr     w12, [x10, ON_SUCCESS]
    b       go
zero:
    // Only the half that is not 0: a child of clone(CLONE_VM) must not write over the pid that its
    // parent may have written here already.
    str     wzr, [x10, RESULT + 4]
    ldr     w12, [x10, ON_ZERO]
    b       go
error:
    neg     w0, w0
    cmp     w0, EAGAIN
    b.ne    3f
    tbz     w11, RETRIED, 3f
    subs    w14, w14, 1
    b.ne    call
3:
    ldr     x12, [x10, ACCEPTED]
1:
    cbz     x12, failure
    and     w13, w12, 255
    cmp     w13, w0
    b.eq    accepted
    lsr     x12, x12, 8
    b       1b
accepted:
    ldr     w12, [x10, ON_ACCEPTED]
    b       go
failure:
    ldr     w12, [x9, FAILED_WITH]
    cbnz    w12, 2f
    sub     x12, x10, x9
    str     w12, [x9, FAILED_AT]
    str     w0, [x9, FAILED_WITH]
2:
    ldr     w12, [x10, ON_FAILURE]
go:
    add     x10, x9, x12
    cbnz    x12, record
    ldr     w0, [x9, FAILED_WITH]
    ret
    .size   run, . - run
    .section .note.GNU-stack, "", %progbits
