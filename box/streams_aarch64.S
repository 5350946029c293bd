// The standard streams of a box for aarch64. As streams_x86_64.S, which says what it does. The table is
// in x21 and the parameters in x20; it returns the number of a refusal in w1, or 0, and keeps x19 to x24.

    .set P_NULLS,        64
    .set P_COPIES,       68
    .set COPIES_BOTH,    12
    .set OWN_STDERR,     16

    // Refusals, by their numbers among the texts (texts.ts).
    .set IS_DIRECTORY, 5
    .set IS_UNCONNECTED, 6
    .set NOT_COPIED, 7
    .set IS_PATH, 8

    .set DUP3, 24
    .set FCNTL, 25
    .set IOCTL, 29
    .set FSTATFS, 44
    .set CLOSE, 57
    .set PIPE2, 59
    .set READ, 63
    .set WRITE, 64
    .set FSTAT, 80
    .set EXIT_GROUP, 94
    .set RT_SIGPROCMASK, 135
    .set PRCTL, 167
    .set GETPEERNAME, 205
    .set GETSOCKOPT, 209
    .set CLONE, 220
    .set MMAP, 222

    .set F_GETFL, 3
    .set F_DUPFD_CLOEXEC, 1030
    .set O_PATH_BIT, 21
    .set PROT_READ_WRITE, 3
    .set MAP_PRIVATE_ANONYMOUS, 0x22
    .set BUFFER, 65536
    .set SIGKILL, 9
    .set SIGCHLD, 17
    .set SIG_SETMASK, 2
    .set PR_SET_PDEATHSIG, 1
    .set ST_DEV, 0
    .set ST_INO, 8
    .set ST_MODE, 16
    .set ST_RDEV, 32
    .set S_IFMT, 0xf000
    .set S_IFIFO, 0x1000
    .set S_IFCHR, 0x2000
    .set S_IFDIR, 0x4000
    .set S_IFSOCK, 0xc000
    .set DEV_NULL, 0x103
    .set TCGETS, 0x5401
    .set SOL_SOCKET, 1
    .set SO_TYPE, 3
    .set SO_DOMAIN, 39
    .set SOCK_DGRAM, 2
    .set AF_UNIX, 1

    .macro system number
    mov     x8, \number
    svc     0
    .endm

    .set STDIN, 128             // the frame: struct stat, then device and inode
    .set STDOUT, 144
    .set SCRATCH, 160
    .set FRAME, 304

    .text
    .globl  _start
// x15: the stream
_start:
    mov     x14, x30
    sub     sp, sp, FRAME
    str     xzr, [sp, STDIN + ST_INO]
    str     xzr, [sp, STDOUT + ST_INO]
    mov     x15, 0
stream:
    mov     x0, x15
    mov     x1, sp
    system  FSTAT
    cbnz    w0, next_stream
    mov     x0, x15
    mov     x1, F_GETFL
    system  FCNTL
    mov     x1, IS_PATH
    tbnz    w0, O_PATH_BIT, done
    ldr     w0, [sp, ST_MODE]
    and     w0, w0, S_IFMT
    cmp     w0, S_IFIFO
    b.eq    is_pipe
    mov     w2, S_IFSOCK
    cmp     w0, w2
    b.eq    is_socket
    mov     w1, IS_DIRECTORY
    cmp     w0, S_IFDIR
    b.eq    done
    cmp     w0, S_IFCHR
    b.ne    copy
    ldr     x0, [sp, ST_RDEV]
    cmp     x0, DEV_NULL
    b.ne    1f
    ldr     w1, [x20, P_NULLS]
    ldr     w0, [x1, x15, lsl 2]
    mov     w2, 1
    str     w2, [x21, x0]
    b       next_stream
1:  mov     x0, x15
    mov     x1, TCGETS
    add     x2, sp, SCRATCH
    system  IOCTL
    cbnz    w0, copy
    ldp     x0, x1, [sp, ST_DEV]
    cbnz    x15, 2f
    stp     x0, x1, [sp, STDIN]
    b       next_stream
2:  ldp     x2, x3, [sp, STDIN] // what is typed there may be read by stdin alone
    cmp     x0, x2
    b.ne    copy
    cmp     x1, x3
    b.eq    next_stream
    b       copy
is_pipe:                        // one with a name can be opened by others
    mov     x0, x15
    add     x1, sp, SCRATCH
    system  FSTATFS
    ldr     x0, [sp, SCRATCH]
    ldr     x1, pipefs
    cmp     x0, x1
    b.eq    next_stream
    b       copy
is_socket:
    mov     x2, SO_TYPE
    bl      socket_option
    cmp     w0, SOCK_DGRAM
    b.eq    1f
    mov     x0, x15
    add     x1, sp, SCRATCH
    add     x2, sp, SCRATCH + 8
    system  GETPEERNAME
    cbnz    w0, 1f
    mov     x2, SO_DOMAIN
    bl      socket_option
    cmp     w0, AF_UNIX
    b.eq    next_stream
    b       copy
1:  mov     w1, IS_UNCONNECTED
    b       done
socket_option:                  // the value of the option x2; leaves its size behind it
    mov     x0, x15
    mov     x1, SOL_SOCKET
    add     x3, sp, SCRATCH
    add     x4, sp, SCRATCH + 8
    mov     w5, 4
    str     w5, [x4]
    system  GETSOCKOPT
    ldr     w0, [sp, SCRATCH]
    ret
copy:
    cmp     x15, 2
    b.ne    1f
    mov     x0, x15             // an error of the copy itself is said there
    mov     x1, F_DUPFD_CLOEXEC
    mov     x2, 4
    system  FCNTL
    ldr     w1, [x20, P_COPIES]
    str     w0, [x1, OWN_STDERR]
1:  ldp     x0, x1, [sp, ST_DEV]
    cmp     x15, 1
    b.lo    3f
    b.hi    2f
    stp     x0, x1, [sp, STDOUT]
    b       3f
2:  ldp     x2, x3, [sp, STDOUT] // two streams to one file keep their order in one pipe
    cmp     x0, x2
    b.ne    3f
    cmp     x1, x3
    b.ne    3f
    mov     x0, 1
    mov     x1, 2
    mov     x2, 0
    system  DUP3
    ldr     w1, [x20, P_COPIES]
    mov     w2, 1
    str     w2, [x1, COPIES_BOTH]
    b       next_stream
3:  add     x0, sp, SCRATCH
    mov     x1, 0
    system  PIPE2
    mov     w1, NOT_COPIED
    cbnz    w0, done
    mov     x0, SIGCHLD
    mov     x1, 0
    mov     x2, 0
    mov     x3, 0
    mov     x4, 0
    system  CLONE
    mov     w1, NOT_COPIED
    tbnz    w0, 31, done
    cbz     w0, copying
    ldr     w2, [sp, SCRATCH]
    cbz     x15, 4f
    ldr     w1, [x20, P_COPIES]
    sub     x1, x1, 4
    str     w0, [x1, x15, lsl 2]
    ldr     w2, [sp, SCRATCH + 4]
4:  mov     w0, w2
    mov     x1, x15
    mov     x2, 0
    system  DUP3
    ldr     w0, [sp, SCRATCH]
    system  CLOSE
    ldr     w0, [sp, SCRATCH + 4]
    system  CLOSE
next_stream:
    add     x15, x15, 1
    cmp     x15, 3
    b.lo    stream
    mov     x1, 0
done:
    add     sp, sp, FRAME
    ret     x14

// The process that copies: stdin to the pipe, until the launcher ends; or the pipe to another stream.
copying:
    mov     x0, SIG_SETMASK
    adr     x1, every_signal
    mov     x2, 0
    mov     x3, 8
    system  RT_SIGPROCMASK
    ldr     w9, [sp, SCRATCH]
    mov     w10, w15
    ldr     w11, [sp, SCRATCH + 4]
    cbnz    x15, 1f
    mov     w10, w11
    mov     x0, PR_SET_PDEATHSIG
    mov     x1, SIGKILL
    system  PRCTL
    mov     w11, w9
    mov     w9, 0
1:  mov     w0, w11
    system  CLOSE
    mov     x0, 0
    mov     x1, BUFFER
    mov     x2, PROT_READ_WRITE
    mov     x3, MAP_PRIVATE_ANONYMOUS
    mov     x4, -1
    mov     x5, 0
    system  MMAP
    tbnz    x0, 63, 4f
    mov     x13, x0
2:  mov     w0, w9
    mov     x1, x13
    mov     x2, BUFFER
    system  READ
    cbz     x0, exit
    tbnz    x0, 63, 4f
    mov     x1, x13
    mov     x12, x0
3:  mov     w0, w10
    mov     x2, x12
    system  WRITE
    cmp     x0, 0
    b.le    4f
    add     x1, x1, x0
    subs    x12, x12, x0
    b.ne    3b
    b       2b
4:  mov     w0, 1
exit:
    system  EXIT_GROUP

    .p2align 3
every_signal:
    .quad   -1
pipefs:
    .quad   0x50495045
    .section .note.GNU-stack, "", %progbits
