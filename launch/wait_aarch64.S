// What waits in a container for aarch64: a whole executable, with the engine behind this code, and
// behind that a table, which waiting_image.ts writes. It walks the table.

    .set EXIT_GROUP, 94
    .set FIRST_RECORD, 16

    .text
    // The ELF header and two segments: the code, and the table with the memory behind it. The sizes
    // of the second are written when the table is known. See elf(5).
image:
    .ascii  "\177ELF"
    .byte   2, 1, 1, 0              // ELFCLASS64, ELFDATA2LSB, EV_CURRENT, ELFOSABI_SYSV
    .quad   0
    .short  2, 183                  // ET_EXEC, EM_AARCH64
    .long   1                       // EV_CURRENT
    .quad   _start
    .quad   segments - image
    .quad   0                       // no sections
    .long   0
    .short  64, 56, 2, 0, 0, 0
segments:
    .long   1, 5                    // PT_LOAD, PF_R | PF_X
    .quad   0, image, image
    .quad   0x1000, 0x1000
    .quad   0x10000                 // pages may be of 64 KiB
    .long   1, 6                    // PT_LOAD, PF_R | PF_W
    .quad   0x1000, image + 0x11000, image + 0x11000
    .quad   0, 0
    .quad   0x10000

    .p2align 2
    .globl  _start
_start:
    adrp    x0, image + 0x11000
    add     x0, x0, :lo12:image + 0x11000
    mov     w1, FIRST_RECORD
    bl      run
    mov     x0, 126
    mov     x8, EXIT_GROUP
    svc     0
    .section .note.GNU-stack, "", %progbits
