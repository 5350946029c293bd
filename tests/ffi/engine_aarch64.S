// Runs the engine for aarch64 where there is none: reads a table that is relocated for TABLE from
// descriptor 0, walks it, writes it to descriptor 1 as the walk left it, and exits with the errno.

    .set TABLE, 0x10000000
    .set TABLE_SIZE, 0x100000
    .set TABLE_END, TABLE + TABLE_SIZE
    .set HEADER_SIZE, 16
    .set MAP_FIXED_PRIVATE_ANONYMOUS, 0x32
    .set PROT_READ_WRITE, 3

    .macro system number
    mov     x8, \number
    svc     0
    .endm

    .text
    .globl  _start
_start:
    mov     x0, TABLE
    mov     x1, TABLE_SIZE
    mov     x2, PROT_READ_WRITE
    mov     x3, MAP_FIXED_PRIVATE_ANONYMOUS
    mov     x4, -1
    mov     x5, 0
    system  222                     // mmap
    mov     x19, TABLE              // the end of what has been read
read:
    mov     x0, 0
    mov     x1, x19
    mov     x2, TABLE_END
    sub     x2, x2, x19
    system  63                      // read
    add     x19, x19, x0
    cmp     x0, 0
    b.gt    read
    mov     x0, TABLE
    mov     w1, HEADER_SIZE
    bl      run
    mov     w20, w0
    mov     x0, 1
    mov     x1, TABLE
    sub     x2, x19, x1
    system  64                      // write
    mov     w0, w20
    system  94                      // exit_group
    .section .note.GNU-stack, "", %progbits
