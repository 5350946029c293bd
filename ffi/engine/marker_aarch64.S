// The marker for aarch64: a process beside a container that may outlive its script, as a whole
// executable. As marker_x86_64.S, which says what it does and what it is given.

    .set PPOLL, 73
    .set EXIT_GROUP, 94
    .set PRCTL, 167

    .set PR_SET_NAME, 15
    .set POLLIN, 1
    .set EINTR, 4

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

name:
    .asciz  "ramekin-marker"

    .p2align 2
    .globl  _start
_start:
    mov     x0, PR_SET_NAME         // instead of the number of the descriptor it was executed from
    adr     x1, name
    system  PRCTL
    sub     sp, sp, 16
wait:
    mov     x0, POLLIN
    lsl     x0, x0, 32
    str     x0, [sp]                // a struct pollfd of descriptor 0
    mov     x0, sp
    mov     x1, 1
    mov     x2, 0                   // no timeout
    mov     x3, 0
    system  PPOLL
    cmn     w0, EINTR
    b.eq    wait
    mov     x0, 0
    system  EXIT_GROUP
image_end:
    .section .note.GNU-stack, "", %progbits
