# What waits in a container for x86_64: a whole executable, with the engine behind this code, and
# behind that a table, which waiting_image.ts writes. It walks the table.

    .intel_syntax noprefix

    .set EXIT_GROUP, 231
    .set FIRST_RECORD, 16

    .text
    # The ELF header and two segments: the code, and the table with the memory behind it. The sizes
    # of the second are written when the table is known. See elf(5).
image:
    .ascii  "\177ELF"
    .byte   2, 1, 1, 0              # ELFCLASS64, ELFDATA2LSB, EV_CURRENT, ELFOSABI_SYSV
    .quad   0
    .short  2, 62                   # ET_EXEC, EM_X86_64
    .long   1                       # EV_CURRENT
    .quad   _start
    .quad   segments - image
    .quad   0                       # no sections
    .long   0
    .short  64, 56, 2, 0, 0, 0
segments:
    .long   1, 5                    # PT_LOAD, PF_R | PF_X
    .quad   0, image, image
    .quad   0x1000, 0x1000
    .quad   0x1000
    .long   1, 6                    # PT_LOAD, PF_R | PF_W
    .quad   0x1000, image + 0x11000, image + 0x11000
    .quad   0, 0
    .quad   0x1000

    .globl  _start
_start:
    lea     rdi, [rip + image + 0x11000]
    mov     esi, FIRST_RECORD
    call    run
    mov     edi, 126
    mov     eax, EXIT_GROUP
    syscall
    .section .note.GNU-stack, "", @progbits
