# The engine for x86_64: runs a table of system calls, which program.ts lays out.
#
# It keeps everything in registers and never touches the stack between entry and return: after
# clone(CLONE_VM) the child goes on in this same loop, on its parent's stack pointer, while the
# parent may already have returned. All decisions are in the table.

    .intel_syntax noprefix

    .set FAILED_AT,   0          # header: offset of the first record that failed
    .set FAILED_WITH, 4          # header: its errno; 0 if none failed

    .set NUMBER,      0          # record: number of the system call
    .set REFERENCES,  4          # bit i: argument i is the offset of the value, not the value
    .set ACCEPTED,    8          # errnos that are not failures, a byte each
    .set ON_ZERO,    16          # the next record: its offset, or 0 to end the walk
    .set ON_ACCEPTED,20
    .set ON_FAILURE, 24
    .set ON_SUCCESS, 28
    .set ARGUMENTS,  32
    .set RESULT,     80

    .set RETRIED,     6          # bit of REFERENCES: the call is made again where it answers EAGAIN
    .set TRIES,     1024         # how often at most
    .set EAGAIN,     11

    .macro argument index, register
    mov     \register, [rbp + ARGUMENTS + 8 * \index]
    test    r12b, 1 << \index
    jz      1f
    mov     \register, [rbx + \register]
1:
    .endm

    .text
    .p2align 4
    .globl  run
    .type   run, @function
# u32 run(table, u32 offset of the first record): the errno of the first failure, or 0
run:
    push    rbx
    push    rbp
    push    r12
    push    r13
    mov     esi, esi
    mov     rbx, rdi
    lea     rbp, [rdi + rsi]
record:
    mov     r13d, TRIES
call:
    mov     r12d, [rbp + REFERENCES]
    argument 0, rdi
    argument 1, rsi
    argument 2, rdx
    argument 3, r10
    argument 4, r8
    argument 5, r9
    mov     eax, [rbp + NUMBER]
    mov     dword ptr [rbp + RESULT], 0          # pending: -2^32, which no system call returns
    mov     dword ptr [rbp + RESULT + 4], -1
    syscall
    test    rax, rax
    jz      zero
    mov     [rbp + RESULT], rax
    cmp     rax, -4095
    jae     error
    mov     eax, [rbp + ON_SUCCESS]
    jmp     go
zero:
    # Only the half that is not 0: a child of clone(CLONE_VM) must not write over the pid that its
    # parent may have written here already.
    mov     dword ptr [rbp + RESULT + 4], 0
    mov     eax, [rbp + ON_ZERO]
    jmp     go
error:
    neg     eax
    cmp     eax, EAGAIN
    jne     3f
    bt      r12d, RETRIED
    jnc     3f
    dec     r13d
    jnz     call
3:
    mov     rcx, [rbp + ACCEPTED]
1:
    test    rcx, rcx
    jz      failure
    movzx   edx, cl              # compares the whole errno: 524 (ENOTSUPP) is not 12 (ENOMEM)
    cmp     eax, edx
    je      accepted
    shr     rcx, 8
    jmp     1b
accepted:
    mov     eax, [rbp + ON_ACCEPTED]
    jmp     go
failure:
    cmp     dword ptr [rbx + FAILED_WITH], 0
    jne     2f
    mov     rcx, rbp
    sub     rcx, rbx
    mov     [rbx + FAILED_AT], ecx
    mov     [rbx + FAILED_WITH], eax
2:
    mov     eax, [rbp + ON_FAILURE]
go:
    lea     rbp, [rbx + rax]
    test    eax, eax
    jnz     record
    mov     eax, [rbx + FAILED_WITH]
    pop     r13
    pop     r12
    pop     rbp
    pop     rbx
    ret
    .size   run, . - run
    .section .note.GNU-stack, "", @progbits
