# The standard streams of a box for x86_64 whose program has a root of its own: it gets no open file
# of the host, but a pipe that a process copies from or to, as launch/inherited_stream.ts has it. The
# start of the box calls it where it lies behind the engine, with the table in r14 and the parameters
# in r13. It returns the number of a refusal in esi, or 0, and keeps rbx, rbp, r12, r13 and r14.

    .intel_syntax noprefix

    .set P_NULLS,        64     # parameters, as in start_x86_64.S
    .set P_COPIES,       68
    .set COPIES_BOTH,    12
    .set OWN_STDERR,     16

    # Refusals, by their numbers among the texts (texts.ts).
    .set IS_DIRECTORY, 5
    .set IS_UNCONNECTED, 6
    .set NOT_COPIED, 7
    .set IS_PATH, 8

    .set READ, 0
    .set WRITE, 1
    .set CLOSE, 3
    .set FSTAT, 5
    .set MMAP, 9
    .set RT_SIGPROCMASK, 14
    .set IOCTL, 16
    .set GETPEERNAME, 52
    .set GETSOCKOPT, 55
    .set CLONE, 56
    .set FCNTL, 72
    .set FSTATFS, 138
    .set PRCTL, 157
    .set EXIT_GROUP, 231
    .set DUP3, 292
    .set PIPE2, 293

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
    .set ST_DEV, 0              # struct stat
    .set ST_INO, 8
    .set ST_MODE, 24
    .set ST_RDEV, 40
    .set S_IFMT, 0xf000
    .set S_IFIFO, 0x1000
    .set S_IFCHR, 0x2000
    .set S_IFDIR, 0x4000
    .set S_IFSOCK, 0xc000
    .set DEV_NULL, 0x103
    .set PIPEFS, 0x50495045
    .set TCGETS, 0x5401
    .set SOL_SOCKET, 1
    .set SO_TYPE, 3
    .set SO_DOMAIN, 39
    .set SOCK_DGRAM, 2
    .set AF_UNIX, 1

    .macro system number
    mov     eax, \number
    syscall
    .endm

    .text
    .globl  _start

    .set STDIN, 144             # the frame: struct stat, then device and inode
    .set STDOUT, 160
    .set SCRATCH, 176
    .set FRAME, 320
_start:
    sub     rsp, FRAME
    mov     qword ptr [rsp + STDIN + ST_INO], 0
    mov     qword ptr [rsp + STDOUT + ST_INO], 0
    xor     r15d, r15d
stream:
    mov     edi, r15d
    mov     rsi, rsp
    system  FSTAT
    test    eax, eax
    jnz     next_stream
    mov     edi, r15d
    mov     esi, F_GETFL
    system  FCNTL
    mov     esi, IS_PATH
    bt      eax, O_PATH_BIT
    jc      done
    mov     eax, [rsp + ST_MODE]
    and     eax, S_IFMT
    cmp     eax, S_IFIFO
    je      is_pipe
    cmp     eax, S_IFSOCK
    je      is_socket
    mov     esi, IS_DIRECTORY
    cmp     eax, S_IFDIR
    je      done
    cmp     eax, S_IFCHR
    jne     copy
    cmp     qword ptr [rsp + ST_RDEV], DEV_NULL
    jne     1f
    mov     esi, [r13 + P_NULLS]
    mov     eax, [rsi + 4 * r15]
    mov     dword ptr [r14 + rax], 1
    jmp     next_stream
1:  mov     edi, r15d
    mov     esi, TCGETS
    lea     rdx, [rsp + SCRATCH]
    system  IOCTL
    test    eax, eax
    jnz     copy
    mov     rax, [rsp + ST_DEV]
    mov     rdx, [rsp + ST_INO]
    test    r15d, r15d
    jnz     2f
    mov     [rsp + STDIN + ST_DEV], rax
    mov     [rsp + STDIN + ST_INO], rdx
    jmp     next_stream
2:  cmp     rax, [rsp + STDIN + ST_DEV]     # what is typed there may be read by stdin alone
    jne     copy
    cmp     rdx, [rsp + STDIN + ST_INO]
    je      next_stream
    jmp     copy
is_pipe:                        # one with a name can be opened by others
    mov     edi, r15d
    lea     rsi, [rsp + SCRATCH]
    system  FSTATFS
    cmp     qword ptr [rsp + SCRATCH], PIPEFS
    je      next_stream
    jmp     copy
is_socket:
    mov     edx, SO_TYPE
    call    socket_option
    cmp     eax, SOCK_DGRAM
    je      1f
    mov     edi, r15d
    lea     rsi, [rsp + SCRATCH]
    lea     rdx, [rsp + SCRATCH + 8]
    system  GETPEERNAME
    test    eax, eax
    jnz     1f
    mov     edx, SO_DOMAIN
    call    socket_option
    cmp     eax, AF_UNIX
    je      next_stream
    jmp     copy
1:  mov     esi, IS_UNCONNECTED
    jmp     done
socket_option:                  # the value of the option edx; leaves its size behind it
    mov     edi, r15d
    mov     esi, SOL_SOCKET
    lea     r10, [rsp + 8 + SCRATCH]
    lea     r8, [rsp + 8 + SCRATCH + 8]
    mov     dword ptr [r8], 4
    system  GETSOCKOPT
    mov     eax, [rsp + 8 + SCRATCH]
    ret
copy:
    cmp     r15d, 2
    jne     1f
    mov     edi, r15d           # an error of the copy itself is said there
    mov     esi, F_DUPFD_CLOEXEC
    mov     edx, 4              # 3 may become the launcher's pidfd (box_frame.ts)
    system  FCNTL
    mov     ecx, [r13 + P_COPIES]
    mov     [rcx + OWN_STDERR], eax
1:  mov     rax, [rsp + ST_DEV]
    mov     rdx, [rsp + ST_INO]
    cmp     r15d, 1
    jb      3f
    ja      1f
    mov     [rsp + STDOUT + ST_DEV], rax
    mov     [rsp + STDOUT + ST_INO], rdx
    jmp     3f
1:  cmp     rax, [rsp + STDOUT + ST_DEV]    # two streams to one file keep their order in one pipe
    jne     3f
    cmp     rdx, [rsp + STDOUT + ST_INO]
    jne     3f
    mov     edi, 1
    mov     esi, 2
    xor     edx, edx
    system  DUP3
    mov     ecx, [r13 + P_COPIES]
    mov     dword ptr [rcx + COPIES_BOTH], 1
    jmp     next_stream
3:  lea     rdi, [rsp + SCRATCH]
    xor     esi, esi
    system  PIPE2
    mov     esi, NOT_COPIED
    test    eax, eax
    jnz     done
    mov     edi, SIGCHLD
    xor     esi, esi
    xor     edx, edx
    xor     r10d, r10d
    xor     r8d, r8d
    system  CLONE
    mov     esi, NOT_COPIED
    test    eax, eax
    js      done
    jz      copying
    mov     edi, [rsp + SCRATCH]
    test    r15d, r15d
    jz      4f
    mov     ecx, [r13 + P_COPIES]
    mov     [rcx + 4 * r15 - 4], eax
    mov     edi, [rsp + SCRATCH + 4]
4:  mov     esi, r15d
    xor     edx, edx
    system  DUP3
    mov     edi, [rsp + SCRATCH]
    system  CLOSE
    mov     edi, [rsp + SCRATCH + 4]
    system  CLOSE
next_stream:
    inc     r15d
    cmp     r15d, 3
    jb      stream
    xor     esi, esi
done:
    add     rsp, FRAME
    ret

# The process that copies: stdin to the pipe, until the launcher ends; or the pipe to another stream.
copying:
    mov     edi, SIG_SETMASK
    lea     rsi, [rip + every_signal]
    xor     edx, edx
    mov     r10d, 8
    system  RT_SIGPROCMASK
    mov     ebx, [rsp + SCRATCH]
    mov     ebp, r15d
    mov     edi, [rsp + SCRATCH + 4]
    test    r15d, r15d
    jnz     1f
    mov     ebp, edi
    mov     edi, PR_SET_PDEATHSIG
    mov     esi, SIGKILL
    system  PRCTL
    mov     edi, ebx
    xor     ebx, ebx
1:  system  CLOSE
    xor     edi, edi            # the stack may be as small
    mov     esi, BUFFER
    mov     edx, PROT_READ_WRITE
    mov     r10d, MAP_PRIVATE_ANONYMOUS
    mov     r8, -1
    xor     r9d, r9d
    system  MMAP
    mov     edi, 1
    test    rax, rax
    js      exit
    mov     r12, rax
2:  mov     edi, ebx
    mov     rsi, r12
    mov     edx, BUFFER
    system  READ
    mov     edi, eax
    test    eax, eax
    jz      exit
    mov     edi, 1
    js      exit
    mov     rsi, r12
    mov     edx, eax
3:  mov     edi, ebp
    system  WRITE
    mov     edi, 1
    test    eax, eax
    jle     exit
    add     rsi, rax
    sub     edx, eax
    jnz     3b
    jmp     2b
exit:
    system  EXIT_GROUP

    .p2align 3
every_signal:
    .quad   -1
    .section .note.GNU-stack, "", @progbits
