// The client of the planner for aarch64, as a whole executable, with the engine behind this code. As
// ask_x86_64.S, which says what it does.

    .set WRITE, 64
    .set EXIT_GROUP, 94
    .set GETEUID, 175
    .set SOCKET, 198
    .set CONNECT, 203
    .set SENDTO, 206
    .set RECVFROM, 207
    .set SETSOCKOPT, 208
    .set GETSOCKOPT, 209
    .set RECVMSG, 212
    .set EXECVE, 221
    .set MMAP, 222
    .set WAIT4, 260
    .set CLOSE_RANGE, 436

    .set AF_UNIX, 1
    .set SOCK_SEQPACKET_CLOEXEC, 0x80005
    .set SOL_SOCKET, 1
    .set SO_PEERCRED, 17
    .set SO_RCVTIMEO, 20
    .set SO_SNDTIMEO, 21
    .set MSG_NOSIGNAL, 0x4000
    .set MSG_CMSG_CLOEXEC, 0x40000000
    .set PROT_READ_WRITE, 3
    .set MAP_SHARED_FIXED_NOREPLACE, 0x100001

    .set PATIENCE, 1
    .set LONG_PATIENCE, 60
    .set TABLE, 0x10000000
    .set FIRST_RECORD, 16

    .set ADDRESS, 0
    .set PATH_SIZE, 108
    .set ADDRESS_SIZE, 110
    .set TIME, 112
    .set CREDENTIALS, 128
    .set LENGTH, 144
    .set VECTOR, 160
    .set HEADER, 176
    .set CONTROL, 240
    .set CONTROL_SIZE, 1032
    .set DATA, 1280
    .set DATA_SIZE, 4096
    .set FRAME, DATA + DATA_SIZE

    .macro system number
    mov     x8, \number
    svc     0
    .endm

    .text
    // The ELF header and its only segment, with the engine in it; see elf(5).
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
    .quad   0x1000, 0x1000
    .quad   0x10000                 // pages may be of 64 KiB
segment_end:

    .p2align 2
    .globl  _start
// x19: argc and argv, w20: the socket, x21: the frame. The engine uses none of them.
_start:
    mov     x19, sp
    sub     sp, sp, 0x1000
    sub     sp, sp, FRAME - 0x1000
    mov     x21, sp
    ldr     w0, [x19]
    cmp     w0, 6
    b.lo    misused

    mov     x0, AF_UNIX
    ldr     w1, =SOCK_SEQPACKET_CLOEXEC
    mov     x2, 0
    system  SOCKET
    mov     w20, w0
    tbnz    w0, 31, alone
    mov     x22, PATIENCE
    mov     x2, SO_SNDTIMEO
    bl      set_time
    mov     x2, SO_RCVTIMEO
    bl      set_time

    mov     w0, AF_UNIX
    strh    w0, [x21, ADDRESS]
    add     x0, x21, ADDRESS + 2
    ldr     x1, [x19, 16]
    mov     w2, PATH_SIZE
1:  ldrb    w3, [x1], 1
    strb    w3, [x0], 1
    cbz     w3, 2f
    subs    w2, w2, 1
    b.ne    1b
    b       alone
2:  mov     w0, w20
    add     x1, x21, ADDRESS
    mov     x2, ADDRESS_SIZE
    system  CONNECT
    cbnz    w0, alone

    mov     w0, 12
    str     w0, [x21, LENGTH]
    mov     w0, w20
    mov     x1, SOL_SOCKET
    mov     x2, SO_PEERCRED
    add     x3, x21, CREDENTIALS
    add     x4, x21, LENGTH
    system  GETSOCKOPT
    cbnz    w0, alone
    system  GETEUID
    ldr     w1, [x21, CREDENTIALS + 4]
    cmp     w0, w1
    b.ne    alone

    ldr     x1, [x19, 24]
    ldr     x0, [x19]
    ldr     x2, [x19, x0, lsl 3]
3:  ldrb    w3, [x2], 1
    cbnz    w3, 3b
    sub     x2, x2, x1
    bl      send
    b.ne    alone
    bl      receive
    cmp     x0, 1
    b.ne    alone
    ldrb    w1, [x21, DATA]
    cmp     w1, 'R'
    b.ne    alone
    mov     x22, LONG_PATIENCE
    mov     x2, SO_RCVTIMEO
    bl      set_time
    adr     x1, go
    mov     x2, 1
    bl      send
    b.ne    alone

    add     x0, x21, DATA
    mov     x1, DATA_SIZE
    stp     x0, x1, [x21, VECTOR]
    add     x1, x21, HEADER
    stp     xzr, xzr, [x1]
    add     x0, x21, VECTOR
    mov     x2, 1
    stp     x0, x2, [x1, 16]
    add     x0, x21, CONTROL
    mov     x2, CONTROL_SIZE
    stp     x0, x2, [x1, 32]
    str     xzr, [x1, 48]
    mov     w0, w20
    mov     w2, MSG_CMSG_CLOEXEC
    system  RECVMSG
    cmp     x0, 1
    b.lt    lost
    ldrb    w1, [x21, DATA]
    cmp     w1, 'E'
    b.eq    answered
    cmp     w1, 'F'
    b.eq    alone
    cmp     x0, 5
    b.lt    lost
    ldr     x1, [x21, HEADER + 40]
    cmp     x1, 20
    b.lo    lost

    mov     x0, TABLE
    add     x6, x21, DATA
    ldur    w1, [x6, 1]
    mov     x2, PROT_READ_WRITE
    ldr     w3, =MAP_SHARED_FIXED_NOREPLACE
    ldr     w4, [x21, CONTROL + 16]
    mov     x5, 0
    system  MMAP
    mov     x1, TABLE
    cmp     x0, x1
    b.ne    lost
    mov     w1, FIRST_RECORD
    bl      run
    cbz     w0, walked
    mov     x0, -1
    mov     x1, 0
    mov     x2, 0
    mov     x3, 0
    system  WAIT4
walked:
    mov     x0, 3
    sub     w1, w20, 1
    cmp     w1, w0
    b.lo    1f
    mov     x2, 0
    system  CLOSE_RANGE
1:  add     w0, w20, 1
    mov     w1, -1
    mov     x2, 0
    system  CLOSE_RANGE
    adr     x1, done
    mov     x2, 1
    bl      send
    bl      receive
answered:
    cmp     x0, 2
    b.lt    lost
    ldrb    w1, [x21, DATA]
    cmp     w1, 'E'
    b.ne    lost
    subs    x2, x0, 2
    b.eq    1f
    mov     x0, 2
    add     x1, x21, DATA + 2
    system  WRITE
1:  ldrb    w0, [x21, DATA + 1]
    system  EXIT_GROUP

lost:
    mov     x0, 2
    adr     x1, no_answer
    mov     x2, no_answer_end - no_answer
    system  WRITE
misused:
    mov     x0, 1
    system  EXIT_GROUP

alone:
    ldr     x0, [x19, 32]
    add     x1, x19, 32
    ldr     x2, [x19]
    add     x2, x19, x2, lsl 3
    add     x2, x2, 16
    system  EXECVE
    mov     x0, 127
    system  EXIT_GROUP

// Lets what the option x2 is for take x22 seconds.
set_time:
    stp     x22, xzr, [x21, TIME]
    mov     w0, w20
    mov     x1, SOL_SOCKET
    add     x3, x21, TIME
    mov     x4, 16
    system  SETSOCKOPT
    ret

// Sends the x2 bytes at x1; sets the zero flag if all were taken.
send:
    mov     x22, x2
    mov     w0, w20
    mov     x3, MSG_NOSIGNAL
    mov     x4, 0
    mov     x5, 0
    system  SENDTO
    cmp     x0, x22
    ret

// Receives a packet; returns its size, or a negative errno.
receive:
    mov     w0, w20
    add     x1, x21, DATA
    mov     x2, DATA_SIZE
    mov     x3, 0
    mov     x4, 0
    mov     x5, 0
    system  RECVFROM
    ret

go:
    .ascii  "G"
done:
    .ascii  "D"
no_answer:
    .ascii  "ramekin: the planner has ended, or does not answer; delete --force removes what it has begun\n"
no_answer_end:
    .p2align 2
    .ltorg
    .section .note.GNU-stack, "", %progbits
