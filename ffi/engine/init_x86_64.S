# The init for x86_64: process 1 of a container, as a whole executable. It becomes process 1 by
# execveat(2), after the main program has been started as its child.
#
# It forwards the signals that it gets, reaps every orphan, and exits as the main program did
# (128 plus the signal, if one killed it); the kernel then kills the rest of the namespace.
#
# It is started with descriptor 0, an eventfd whose value is the main program's pid; every other
# descriptor close-on-exec; SIGCHLD not ignored, or the kernel would throw the exit code away.

    .intel_syntax noprefix

    .set READ, 0
    .set CLOSE, 3
    .set RT_SIGPROCMASK, 14
    .set WAIT4, 61
    .set KILL, 62
    .set RT_SIGTIMEDWAIT, 128
    .set PRCTL, 157
    .set EXIT_GROUP, 231

    .set SIG_SETMASK, 2
    .set SIGCHLD, 17
    .set PR_SET_NAME, 15
    .set WNOHANG, 1
    .set SIGINFO_SIZE, 128
    .set SI_CODE, 8
    .set STOPPED, 0x7f              # in the low byte of a status: WIFSTOPPED of wait(2)

    .macro system number
    mov     eax, \number
    syscall
    .endm

    .text
    # The ELF header and its only segment; see elf(5).
image:
    .ascii  "\177ELF"
    .byte   2, 1, 1, 0              # ELFCLASS64, ELFDATA2LSB, EV_CURRENT, ELFOSABI_SYSV
    .quad   0
    .short  2, 62                   # ET_EXEC, EM_X86_64
    .long   1                       # EV_CURRENT
    .quad   _start
    .quad   segment - image
    .quad   0                       # no sections
    .long   0
    .short  64, segment_end - segment, 1, 0, 0, 0
segment:
    .long   1, 5                    # PT_LOAD, PF_R | PF_X
    .quad   0, image, image
    .quad   image_end - image, image_end - image
    .quad   0x1000
segment_end:

every_signal:
    .quad   -1
name:
    .asciz  "init"

    .globl  _start
# ebx: the main program's pid; rsp: space for a siginfo_t and the other structures that the kernel writes
_start:
    sub     rsp, SIGINFO_SIZE
    mov     edi, SIG_SETMASK
    lea     rsi, [rip + every_signal]
    xor     edx, edx
    mov     r10d, 8
    system  RT_SIGPROCMASK
    mov     edi, PR_SET_NAME        # instead of the number of the descriptor it was executed from
    lea     rsi, [rip + name]
    system  PRCTL
    xor     edi, edi
    mov     rsi, rsp
    mov     edx, 8
    system  READ
    mov     ebx, [rsp]
    xor     edi, edi
    system  CLOSE
    # Reap first: the SIGCHLD of a child that died earlier may be lost.
reap:
    mov     edi, -1
    mov     rsi, rsp
    mov     edx, WNOHANG
    xor     r10d, r10d
    system  WAIT4
    test    eax, eax
    jle     wait
    cmp     eax, ebx
    jne     reap
    mov     eax, [rsp]              # see wait(2): the signal in bits 0-6, the exit code in 8-15
    cmp     al, STOPPED             # by PTRACE_TRACEME a child makes the init its tracer, which is
    je      reap                    # told of its stops whatever it waits for
    movzx   edi, ah
    and     eax, 0x7f
    jz      exit
    lea     edi, [rax + 128]
exit:
    system  EXIT_GROUP
wait:
    lea     rdi, [rip + every_signal]
    mov     rsi, rsp
    xor     edx, edx
    mov     r10d, 8
    system  RT_SIGTIMEDWAIT
    cmp     eax, SIGCHLD
    je      reap
    test    eax, eax
    js      wait                    # EINTR
    # A signal of the kernel's comes from the terminal, and has reached the main program, of the
    # same process group, too: Ctrl-C must not count twice. See SI_KERNEL in sigaction(2).
    cmp     dword ptr [rsp + SI_CODE], 0
    jg      wait
    mov     edi, ebx
    mov     esi, eax
    system  KILL
    jmp     wait
image_end:
    .section .note.GNU-stack, "", @progbits
