# The client of the planner for x86_64, as a whole executable, with the engine behind this code.
#
#   ramekin-oci-ask SOCKET BUILD COMMAND --without-planner WORD ...
#
# It asks the planner (planner/) that listens at SOCKET for a container: all words from BUILD on are
# the request. The answer is a table on memory that both share, which it walks: so the container is
# the child of this process, and inherits from it what it would from the runtime. Where there is no
# planner, or that is somebody else's, or refuses, or does not answer in time, it executes COMMAND
# with the words behind.
#
# Messages are packets: the request; "R", the planner is ready; "G", go on: from then on the planner
# makes the container. Its answer is "T" with descriptors, the table first; "D", it was walked; then
# "E", a status and a text for the standard error. "F" instead of "R" or "T": it makes no such
# container, and has left nothing.

    .intel_syntax noprefix

    .set WRITE, 1
    .set MMAP, 9
    .set SOCKET, 41
    .set CONNECT, 42
    .set SENDTO, 44
    .set RECVFROM, 45
    .set RECVMSG, 47
    .set SETSOCKOPT, 54
    .set GETSOCKOPT, 55
    .set EXECVE, 59
    .set WAIT4, 61
    .set GETEUID, 107
    .set EXIT_GROUP, 231
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

    .set PATIENCE, 1                # seconds until the planner is ready
    .set LONG_PATIENCE, 60          # seconds until the container is planned
    .set TABLE, 0x10000000          # the address of the table (client_launch.ts)
    .set FIRST_RECORD, 16

    # What is on the stack.
    .set ADDRESS, 0                 # struct sockaddr_un
    .set PATH_SIZE, 108
    .set ADDRESS_SIZE, 110
    .set TIME, 112                  # struct timeval
    .set CREDENTIALS, 128           # struct ucred
    .set LENGTH, 144
    .set VECTOR, 160                # struct iovec
    .set HEADER, 176                # struct msghdr
    .set CONTROL, 240               # descriptors: SCM_MAX_FD, 253 of them
    .set CONTROL_SIZE, 1032
    .set DATA, 1280
    .set DATA_SIZE, 4096
    .set FRAME, DATA + DATA_SIZE

    .macro system number
    mov     eax, \number
    syscall
    .endm

    .text
    # The ELF header and its only segment, with the engine in it; see elf(5).
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
    .quad   0x1000, 0x1000
    .quad   0x1000
segment_end:

    .globl  _start
# rbp: argc and argv, r12d: the socket
_start:
    mov     rbp, rsp
    sub     rsp, FRAME
    cmp     dword ptr [rbp], 6
    jb      misused

    mov     edi, AF_UNIX
    mov     esi, SOCK_SEQPACKET_CLOEXEC
    xor     edx, edx
    system  SOCKET
    mov     r12d, eax
    test    eax, eax
    js      alone
    mov     ebx, PATIENCE
    mov     edx, SO_SNDTIMEO
    call    set_time
    mov     edx, SO_RCVTIMEO
    call    set_time

    mov     word ptr [rsp + ADDRESS], AF_UNIX
    lea     rdi, [rsp + ADDRESS + 2]
    mov     rsi, [rbp + 16]
    mov     ecx, PATH_SIZE
1:  lodsb
    stosb
    test    al, al
    jz      2f
    dec     ecx
    jnz     1b
    jmp     alone
2:  mov     edi, r12d
    lea     rsi, [rsp + ADDRESS]
    mov     edx, ADDRESS_SIZE
    system  CONNECT
    test    eax, eax
    jnz     alone

    # Who is root of a user namespace is somebody else outside of it: the planner looks at that.
    mov     dword ptr [rsp + LENGTH], 12
    mov     edi, r12d
    mov     esi, SOL_SOCKET
    mov     edx, SO_PEERCRED
    lea     r10, [rsp + CREDENTIALS]
    lea     r8, [rsp + LENGTH]
    system  GETSOCKOPT
    test    eax, eax
    jnz     alone
    system  GETEUID
    cmp     eax, [rsp + CREDENTIALS + 4]
    jne     alone

    # The strings of argv lie one behind the other.
    mov     rsi, [rbp + 24]
    mov     rax, [rbp]
    mov     rdi, [rbp + 8 * rax]
3:  cmp     byte ptr [rdi], 0
    lea     rdi, [rdi + 1]
    jne     3b
    mov     rdx, rdi
    sub     rdx, rsi
    call    send
    jnz     alone
    call    receive
    cmp     rax, 1
    jne     alone
    cmp     byte ptr [rsp + DATA], 'R'
    jne     alone
    mov     ebx, LONG_PATIENCE
    mov     edx, SO_RCVTIMEO
    call    set_time
    lea     rsi, [rip + go]
    mov     edx, 1
    call    send
    jnz     alone

    lea     rax, [rsp + DATA]
    mov     [rsp + VECTOR], rax
    mov     qword ptr [rsp + VECTOR + 8], DATA_SIZE
    lea     rdi, [rsp + HEADER]
    mov     rsi, rdi
    xor     eax, eax
    mov     ecx, 7
    rep     stosq
    lea     rax, [rsp + VECTOR]
    mov     [rsi + 16], rax
    mov     qword ptr [rsi + 24], 1
    lea     rax, [rsp + CONTROL]
    mov     [rsi + 32], rax
    mov     qword ptr [rsi + 40], CONTROL_SIZE
    mov     edi, r12d
    mov     edx, MSG_CMSG_CLOEXEC
    system  RECVMSG
    cmp     rax, 1
    jl      lost
    mov     cl, [rsp + DATA]
    cmp     cl, 'E'
    je      answered
    cmp     cl, 'F'
    je      alone
    cmp     rax, 5                  # "T", and the size of the table
    jb      lost
    cmp     qword ptr [rsp + HEADER + 40], 20
    jb      lost

    mov     edi, TABLE
    mov     esi, [rsp + DATA + 1]
    mov     edx, PROT_READ_WRITE
    mov     r10d, MAP_SHARED_FIXED_NOREPLACE
    mov     r8d, [rsp + CONTROL + 16]
    xor     r9d, r9d
    system  MMAP
    cmp     rax, TABLE
    jne     lost
    mov     edi, TABLE
    mov     esi, FIRST_RECORD
    call    run
    test    eax, eax
    jz      walked
    # The container has failed, and ended.
    mov     edi, -1
    xor     esi, esi
    xor     edx, edx
    xor     r10d, r10d
    system  WAIT4
walked:
    # Who has the pipe of a container that could not be made is killed with it.
    mov     edi, 3
    lea     esi, [r12 - 1]
    cmp     esi, edi
    jb      1f
    xor     edx, edx
    system  CLOSE_RANGE
1:  lea     edi, [r12 + 1]
    mov     esi, -1
    xor     edx, edx
    system  CLOSE_RANGE
    lea     rsi, [rip + done]
    mov     edx, 1
    call    send
    call    receive
answered:
    cmp     rax, 2
    jl      lost
    cmp     byte ptr [rsp + DATA], 'E'
    jne     lost
    mov     rdx, rax
    sub     rdx, 2
    jz      1f
    mov     edi, 2
    lea     rsi, [rsp + DATA + 2]
    system  WRITE
1:  movzx   edi, byte ptr [rsp + DATA + 1]
    system  EXIT_GROUP

lost:
    mov     edi, 2
    lea     rsi, [rip + no_answer]
    mov     edx, no_answer_end - no_answer
    system  WRITE
misused:
    mov     edi, 1
    system  EXIT_GROUP

# Executes the command without the planner.
alone:
    mov     rdi, [rbp + 32]
    lea     rsi, [rbp + 32]
    mov     rax, [rbp]
    lea     rdx, [rbp + 8 * rax + 16]
    system  EXECVE
    mov     edi, 127
    system  EXIT_GROUP

# Lets what the option edx is for take ebx seconds.
set_time:
    mov     [rsp + 8 + TIME], rbx
    mov     qword ptr [rsp + 8 + TIME + 8], 0
    mov     edi, r12d
    mov     esi, SOL_SOCKET
    lea     r10, [rsp + 8 + TIME]
    mov     r8d, 16
    system  SETSOCKOPT
    ret

# Sends the rdx bytes at rsi; sets the zero flag if all were taken.
send:
    mov     rbx, rdx
    mov     edi, r12d
    mov     r10d, MSG_NOSIGNAL
    xor     r8d, r8d
    xor     r9d, r9d
    system  SENDTO
    cmp     rax, rbx
    ret

# Receives a packet; returns its size, or a negative errno.
receive:
    mov     edi, r12d
    lea     rsi, [rsp + 8 + DATA]
    mov     edx, DATA_SIZE
    xor     r10d, r10d
    xor     r8d, r8d
    xor     r9d, r9d
    system  RECVFROM
    ret

go:
    .ascii  "G"
done:
    .ascii  "D"
no_answer:
    .ascii  "ramekin: the planner has ended, or does not answer; delete --force removes what it has begun\n"
no_answer_end:
    .section .note.GNU-stack, "", @progbits
