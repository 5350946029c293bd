// What removes the files and the control groups of a container, for aarch64, as a whole executable. As
// remove_x86_64.S, which says what it does.

    .set UNLINKAT, 35
    .set EXIT_GROUP, 94

    .set AT_FDCWD, -100
    .set AT_REMOVEDIR, 0x200
    .set ENOENT, 2
    .set EISDIR, 21

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

    .p2align 2
    .globl  _start
_start:
    add     x19, sp, 8              // argv, with the name of this program
    ldr     x0, [sp]                // execve(2) without any: there is nothing to do
    cbz     x0, end
next:
    ldr     x1, [x19, 8]!
    cbz     x1, end
    mov     x2, 0
    mov     x0, AT_FDCWD
    system  UNLINKAT
    cmn     w0, EISDIR
    b.ne    look
    ldr     x1, [x19]
    mov     x2, AT_REMOVEDIR
    mov     x0, AT_FDCWD
    system  UNLINKAT
look:
    cbz     w0, next
    cmn     w0, ENOENT
    b.eq    next
    mov     x0, 1
    system  EXIT_GROUP
end:
    mov     x0, 0
    system  EXIT_GROUP
image_end:
    .section .note.GNU-stack, "", %progbits
