# The marker for x86_64: a process beside a container that may outlive its script, as a whole
# executable. It holds a pidfd of the container and has its name as an argument, for `ramekin ps`,
# and ends with it.
#
# It is started with descriptor 0, the pidfd; every other descriptor close-on-exec; all signals
# blocked.

    .intel_syntax noprefix

    .set PRCTL, 157
    .set EXIT_GROUP, 231
    .set PPOLL, 271

    .set PR_SET_NAME, 15
    .set POLLIN, 1
    .set EINTR, 4

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

name:
    .asciz  "ramekin-marker"

    .globl  _start
_start:
    mov     edi, PR_SET_NAME        # instead of the number of the descriptor it was executed from
    lea     rsi, [rip + name]
    system  PRCTL
    sub     rsp, 16
wait:
    mov     dword ptr [rsp], 0      # a struct pollfd of descriptor 0
    mov     dword ptr [rsp + 4], POLLIN
    mov     rdi, rsp
    mov     esi, 1
    xor     edx, edx                # no timeout
    xor     r10d, r10d
    system  PPOLL
    cmp     eax, -EINTR
    je      wait
    xor     edi, edi
    system  EXIT_GROUP
image_end:
    .section .note.GNU-stack, "", @progbits
