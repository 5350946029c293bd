// The init for aarch64: process 1 of a container, as a whole executable. As init_x86_64.S, which
// says what it does and what it is given.

    .set CLOSE, 57
    .set READ, 63
    .set EXIT_GROUP, 94
    .set KILL, 129
    .set RT_SIGPROCMASK, 135
    .set RT_SIGTIMEDWAIT, 137
    .set PRCTL, 167
    .set WAIT4, 260

    .set SIG_SETMASK, 2
    .set SIGCHLD, 17
    .set PR_SET_NAME, 15
    .set WNOHANG, 1
    .set SIGINFO_SIZE, 128
    .set SI_CODE, 8
    .set STOPPED, 0x7f              // in the low byte of a status: WIFSTOPPED of wait(2)

    .macro system number
    mov     x8, \number
    svc     0
    .endm

    .text
    // The ELF header and its only segment; see elf(5).
image:
    .ascii  "\177ELF"
    .byte   2, 1, 1, 0              // ELFCLASS64, ELFDATA2LSB, EV_CURRENT, ELFOSABI_SYSV
    .quad   0
    .short  2, 183                  // ET_EXEC, EM_AARCH64
    .long   1                       // EV_CURRENT
    .quad   _start
    .quad   segment - image
    .quad   0                       // no sections
    .long   0
    .short  64, segment_end - segment, 1, 0, 0, 0
segment:
    .long   1, 5                    // PT_LOAD, PF_R | PF_X
    .quad   0, image, image
    .quad   image_end - image, image_end - image
    .quad   0x10000                 // pages may be of 64 KiB
segment_end:

every_signal:
    .quad   -1
name:
    .asciz  "init"

    .p2align 2
    .globl  _start
// w19: the main program's pid; sp: space for a siginfo_t and the other structures that the kernel writes
_start:
    sub     sp, sp, SIGINFO_SIZE
    mov     x0, SIG_SETMASK
    adr     x1, every_signal
    mov     x2, 0
    mov     x3, 8
    system  RT_SIGPROCMASK
    mov     x0, PR_SET_NAME         // instead of the number of the descriptor it was executed from
    adr     x1, name
    system  PRCTL
    mov     x0, 0
    mov     x1, sp
    mov     x2, 8
    system  READ
    ldr     w19, [sp]
    mov     x0, 0
    system  CLOSE
    // Reap first: the SIGCHLD of a child that died earlier may be lost.
reap:
    mov     x0, -1
    mov     x1, sp
    mov     x2, WNOHANG
    mov     x3, 0
    system  WAIT4
    cmp     w0, 0
    b.le    wait
    cmp     w0, w19
    b.ne    reap
    ldr     w1, [sp]                // see wait(2): the signal in bits 0-6, the exit code in 8-15
    and     w2, w1, 0xff
    cmp     w2, STOPPED             // by PTRACE_TRACEME a child makes the init its tracer, which is
    b.eq    reap                    // told of its stops whatever it waits for
    ubfx    w0, w1, 8, 8
    ands    w1, w1, 0x7f
    b.eq    exit
    add     w0, w1, 128
exit:
    system  EXIT_GROUP
wait:
    adr     x0, every_signal
    mov     x1, sp
    mov     x2, 0
    mov     x3, 8
    system  RT_SIGTIMEDWAIT
    cmp     w0, SIGCHLD
    b.eq    reap
    tbnz    w0, 31, wait            // EINTR
    // A signal of the kernel's comes from the terminal, and has reached the main program, of the
    // same process group, too: Ctrl-C must not count twice. See SI_KERNEL in sigaction(2).
    ldr     w1, [sp, SI_CODE]
    cmp     w1, 0
    b.gt    wait
    mov     w1, w0
    mov     w0, w19
    system  KILL
    b       wait
image_end:
    .section .note.GNU-stack, "", %progbits
