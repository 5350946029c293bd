# The start of a box for x86_64. The engine (ffi/engine/x86_64.S) stands behind it in the same image.
#
# It fills in what is known only now (the caller's ids, argv, the environment), has the engine walk
# the table, waits for the container, passes signals on, and exits as it did. The engine returns
# twice: in the container's last process, which executes the program, and in the launcher.
#
# Before the code lie the parameters, which parameters.ts writes. All are 32 bits; an address of 0
# stands for nothing.

    .intel_syntax noprefix

    .set P_TABLE,         0     # address of the table
    .set P_TABLE_SIZE,    4
    .set P_PACKED,        8     # address of the packed table
    .set P_PID,          12     # offset of the container's pid
    .set P_MINE,         16     # offset of the result of the launcher's last call: 0 in the container
    .set P_UIDS,         20     # address of the offsets of the caller's uid in ten digits, 0 last
    .set P_GIDS,         24     # the same for the gid
    .set P_TEXTS,        28     # address of the packed texts of the records
    .set P_TEXTS_AT,     32     # address for the texts
    .set P_ERRNOS,       36     # address of the names of errnos: number, text ..., 0
    .set P_KEPT,         40     # address of the beginnings of variables that are kept
    .set P_SET,          44     # address of variables that are set
    .set P_SET_COUNT,    48
    .set P_PROGRAM,      52     # address of the program and its first arguments
    .set P_PROGRAM_COUNT,56
    .set P_FLAGS,        60
    .set P_NULLS,        64     # address of the offsets of words: whether a stream is /dev/null
    .set P_COPIES,       68     # address of what is known of the copies of streams
    .set P_STREAMS,      72     # address of the code that looks at the standard streams
    .set P_ANSWERS,      76     # address of pairs: the offset of a call that looks at an answer, and
                                # that of the answer, or with the highest bit an errno; 0 last
    .set P_PIDS,         80     # the same as P_UIDS, for the pid
    .set P_AFTER,        84     # the offset of the first record that comes when all is over, or 0
    .set P_SIZE,         88

    .set CLEARS,      1         # flags: the environment is cleared
    .set OWN_SESSION, 2         # the program has no part in the terminal's signals
    .set FOR_ROOT,    4         # it is for root alone
    .set SHARED,     16         # a process of the container has memory of its own

    # Refusals, by their numbers among the texts (texts.ts).
    .set IS_SETUID, 0
    .set IS_FOR_ROOT, 1
    .set NO_PROGRAM, 2
    .set NO_MEMORY, 3
    .set NOT_WRITTEN, 4
    .set BAD_CALL, 9
    .set OUT_OF_TIME, 10
    .set REFUSALS, 11

    .set SHORTEST, 3            # copy of packed bytes
    .set FIX, 1                 # ends a text where a fix follows: an errno, and what to do about it

    .set FAILED_AT,   0         # the table's header
    .set FAILED_WITH, 4
    .set NOT_STARTED, 12        # the errno of the program

    # What is known of copies: the pids of those of stdout and stderr; whether one has failed; whether
    # stderr goes to the copy of stdout.
    .set COPY_FAILED, 8
    .set COPIES_BOTH, 12
    .set OWN_STDERR, 16         # the stderr that is copied to, or 0
    .set TIMED, 20              # behind these: whether the program's time is over

    .set WRITE, 1
    .set CLOSE, 3
    .set MMAP, 9
    .set GETPID, 39
    .set EXECVE, 59
    .set WAIT4, 61
    .set KILL, 62
    .set FCNTL, 72
    .set GETEUID, 107
    .set GETEGID, 108
    .set RT_SIGTIMEDWAIT, 128
    .set EXIT_GROUP, 231
    .set OPENAT, 257
    .set FACCESSAT, 269
    .set DUP3, 292

    .set AT_FDCWD, -100
    .set AT_SECURE, 23
    .set F_GETFD, 1
    .set O_RDWR, 2
    .set ENOENT, 2
    .set EACCES, 13
    .set ENOTDIR, 20
    .set SIGKILL, 9
    .set SIGCHLD, 17
    .set SIGSTOP, 19
    .set SIGTSTP, 20
    .set SIGTTOU, 22
    .set SIGSYS, 31
    .set SI_CODE, 8
    .set SI_TIMER, -2
    .set TIMED_OUT, 124         # the status that timeout(1) has
    .set WNOHANG, 1
    .set PROT_READ_WRITE, 3
    .set MAP_SHARED_FIXED_ANONYMOUS, 0x31
    # Below the engine's frame, from which two processes return: neither may write there.
    .set BOTH_FRAMES, 512

    .macro system number
    mov     eax, \number
    syscall
    .endm

    .text
    .globl  _start
# r12: the environment, r13: the parameters, r14: the table, r15: argv
_start:
    mov     rbp, rsp
    lea     r13, [rip + _start - P_SIZE]
    mov     r14d, [r13 + P_TABLE]

    # The auxiliary vector is behind the environment.
    mov     rax, [rbp]
    lea     r12, [rbp + 8 * rax + 16]
    mov     rdi, r12
    xor     ebx, ebx            # how many variables
1:  cmp     qword ptr [rdi], 0
    lea     rdi, [rdi + 8]
    je      2f
    inc     ebx
    jmp     1b
2:  mov     rax, [rdi]
    test    rax, rax
    jz      3f
    cmp     rax, AT_SECURE
    lea     rdi, [rdi + 16]
    jne     2b
    cmp     qword ptr [rdi - 8], 0
    je      3f
    mov     r15d, IS_SETUID
    jmp     refuse
3:  system  GETEUID
    test    eax, eax
    jz      4f
    test    byte ptr [r13 + P_FLAGS], FOR_ROOT
    jz      4f
    mov     r15d, IS_FOR_ROOT
    jmp     refuse
4:  test    byte ptr [r13 + P_FLAGS], SHARED
    jz      5f
    mov     edi, r14d
    mov     esi, [r13 + P_TABLE_SIZE]
    mov     edx, PROT_READ_WRITE
    mov     r10d, MAP_SHARED_FIXED_ANONYMOUS
    mov     r8, -1
    xor     r9d, r9d
    system  MMAP
    cmp     rax, r14
    mov     r15d, NO_MEMORY
    jne     refuse
5:  xor     r8d, r8d            # a descriptor of the launch may not be a standard stream
1:  mov     edi, r8d
    mov     esi, F_GETFD
    system  FCNTL
    test    eax, eax
    jns     2f
    mov     edi, AT_FDCWD
    lea     rsi, [rip + dev_null]
    mov     edx, O_RDWR
    system  OPENAT
2:  inc     r8d
    cmp     r8d, 3
    jb      1b
    mov     esi, [r13 + P_PACKED]
    mov     rdi, r14
    call    unpack
    mov     eax, [r13 + P_STREAMS]
    test    eax, eax
    jz      6f
    call    rax
    mov     r15d, esi
    test    esi, esi
    jnz     refuse
6:
    system  GETEUID
    mov     esi, [r13 + P_UIDS]
    call    write_ids
    system  GETEGID
    mov     esi, [r13 + P_GIDS]
    call    write_ids
    system  GETPID
    mov     esi, [r13 + P_PIDS]
    call    write_ids

    # argv: what was built in, and what is given.
    mov     rax, [rbp]
    sub     rax, 1
    adc     rax, 0              # argc can be 0
    mov     ecx, [r13 + P_PROGRAM_COUNT]
    mov     rdx, rax
    add     rdx, rcx
    mov     r15d, NO_PROGRAM
    jz      refuse
    lea     rdx, [8 * rdx + 8]
    sub     rsp, rdx
    mov     r15, rsp
    mov     rdi, r15
    mov     esi, [r13 + P_PROGRAM]
    call    list_strings
    lea     rsi, [rbp + 16]
    mov     rcx, rax
    rep     movsq
    mov     qword ptr [rdi], 0

    # The environment: variables that pass, and those that are set.
    mov     ecx, [r13 + P_SET_COUNT]
    lea     rdx, [rbx + rcx + 1]
    shl     rdx, 3
    sub     rsp, rdx
    mov     rdi, rsp
7:  mov     r8, [r12]
    add     r12, 8
    test    r8, r8
    jz      9f
    test    byte ptr [r13 + P_FLAGS], CLEARS
    jz      8f
    mov     esi, [r13 + P_KEPT]
    call    is_listed
    jnc     7b
8:  mov     esi, [r13 + P_SET]
    call    is_listed
    jc      7b
    mov     rax, r8
    stosq
    jmp     7b
9:  mov     ecx, [r13 + P_SET_COUNT]
    mov     esi, [r13 + P_SET]
    call    list_strings
    mov     qword ptr [rdi], 0
    mov     r12, rsp

    and     rsp, -16
    mov     rdi, r14
    mov     esi, 16             # the first record, behind the header
    call    run
    lea     rsp, [rsp - BOTH_FRAMES]

    # The launcher comes here with that result or after a failure, the container with neither. Nothing
    # else may tell the two apart: a launcher whose container was killed would run the program itself.
    mov     ecx, [r13 + P_MINE]
    mov     eax, [r14 + rcx]
    or      eax, [r14 + FAILED_WITH]
    jnz     launcher

# The container's process: executes the program, as execvp(3) does.
    mov     r8, [r15]
    mov     rdi, r8
1:  mov     al, [rdi]
    inc     rdi
    cmp     al, '/'
    je      named
    test    al, al
    jnz     1b
    sub     rdi, r8
    mov     r9, rdi             # the size of the name
    mov     rdi, r12
2:  mov     rsi, [rdi]
    add     rdi, 8
    test    rsi, rsi
    jz      3f
    cmp     dword ptr [rsi], 0x48544150 # "PATH"
    jne     2b
    cmp     byte ptr [rsi + 4], '='
    jne     2b
    add     rsi, 5
    jmp     4f
3:  lea     rsi, [rip + default_path]
4:  mov     rdi, rsi            # room for the longest
5:  cmp     byte ptr [rdi], 0
    lea     rdi, [rdi + 1]
    jne     5b
    sub     rdi, rsi
    add     rdi, r9
    sub     rsp, rdi
    mov     ebx, ENOENT
directory:
    mov     rdi, rsp
1:  lodsb
    cmp     al, ':'
    je      2f
    test    al, al
    jz      2f
    stosb
    jmp     1b
2:  mov     ebp, eax            # the end, or a colon
    cmp     rdi, rsp
    je      3f                  # an empty one is the working directory
    mov     al, '/'
    stosb
3:  mov     r10, rsi
    mov     rsi, r8
    mov     rcx, r9
    rep     movsb
    push    r10
    push    r9
    push    r8
    lea     rdi, [rsp + 24]
    mov     rsi, r15
    mov     rdx, r12
    system  EXECVE
    neg     eax
    cmp     eax, ENOENT
    je      5f
    cmp     eax, ENOTDIR
    je      5f
    cmp     eax, EACCES
    jne     give_up
    mov     edi, AT_FDCWD       # denied is the file, or a directory on the way to it
    lea     rsi, [rsp + 24]
    xor     edx, edx
    system  FACCESSAT
    test    eax, eax
    jnz     5f
    mov     ebx, EACCES
5:  pop     r8
    pop     r9
    pop     rsi
    test    bpl, bpl
    jnz     directory
    mov     eax, ebx
    jmp     give_up
named:
    mov     rdi, r8
    mov     rsi, r15
    mov     rdx, r12
    system  EXECVE
    neg     eax
give_up:
    mov     [r14 + NOT_STARTED], eax
    mov     edi, 127
    jmp     exit

launcher:
    mov     ebx, [r13 + P_PID]
    mov     ebx, [r14 + rbx]
    test    ebx, ebx
    jz      failed
reap:
    mov     edi, -1
    mov     rsi, rsp
    mov     edx, WNOHANG
    xor     r10d, r10d
    system  WAIT4
    test    eax, eax
    jle     wait
    call    note_copy
    cmp     eax, ebx
    jne     reap
    cmp     dword ptr [r14 + FAILED_WITH], 0
    jne     failed
    cmp     dword ptr [r14 + NOT_STARTED], 0
    jne     not_started
    mov     eax, [rsp]
    movzx   edi, ah
    and     eax, 0x7f
    jz      1f
    lea     edi, [rax + 128]
1:  mov     ebx, edi
    mov     ecx, [r13 + P_COPIES]
    mov     r15d, BAD_CALL
    cmp     byte ptr [rcx + TIMED], 0
    je      2f
    mov     ebx, TIMED_OUT
    mov     r15d, OUT_OF_TIME
    jmp     3f
2:  cmp     edi, 128 + SIGSYS   # from an init too
    jne     finish
3:  call    say_refusal
    mov     edi, ebx

# Ends with the status in edi, once all that the program has written is copied.
finish:
    mov     ebx, edi
    mov     esi, [r13 + P_AFTER]
    test    esi, esi
    jz      3f
    mov     rdi, r14
    call    run
3:
    mov     r12d, [r13 + P_COPIES]
    cmp     qword ptr [r12], 0
    je      2f
    mov     eax, [r12 + 4]
    or      eax, [r12 + COPIES_BOTH]
    mov     edi, 2
    jz      1f
    system  CLOSE
1:  mov     edi, 1
    system  CLOSE
    mov     edi, -1
    mov     rsi, rsp
    xor     edx, edx
    xor     r10d, r10d
    system  WAIT4
    test    eax, eax
    js      2f
    call    note_copy
    cmp     qword ptr [r12], 0
    jne     1b
2:  cmp     dword ptr [r12 + COPY_FAILED], 0
    mov     edi, ebx
    je      exit
    mov     r15d, NOT_WRITTEN
    mov     edi, [r12 + OWN_STDERR]
    test    edi, edi
    jle     refuse
    mov     esi, 2
    xor     edx, edx
    system  DUP3
    jmp     refuse
exit:
    system  EXIT_GROUP
wait:
    lea     rdi, [rip + every_signal]
    lea     rsi, [rsp + 16]
    xor     edx, edx
    mov     r10d, 8
    system  RT_SIGTIMEDWAIT
    cmp     eax, SIGCHLD
    je      reap
    test    eax, eax
    js      wait
    mov     esi, eax
    mov     edi, ebx
    mov     ecx, [rsp + 16 + SI_CODE]
    cmp     ecx, SI_TIMER
    je      timed
    test    ecx, ecx
    jle     pass                # a process has sent it
    # The terminal has sent it, to the program too, unless that has a session of its own. What stops
    # the program stops the launcher as well, so that the shell sees it.
    lea     ecx, [rax - SIGTSTP]
    cmp     ecx, SIGTTOU - SIGTSTP
    ja      1f
    system  GETPID
    mov     edi, eax
    mov     esi, SIGSTOP
pass:
    system  KILL
    jmp     wait
1:  test    byte ptr [r13 + P_FLAGS], OWN_SESSION
    jz      wait
    jmp     pass
timed:                          # the time is over: SIGTERM is passed on, and SIGKILL the next time
    mov     ecx, [r13 + P_COPIES]
    bts     dword ptr [rcx + TIMED], 0
    jnc     pass
    mov     esi, SIGKILL
    jmp     pass

failed:
    call    unpack_texts
    lea     rsi, [rip + begins]
    call    say
    mov     eax, [r14 + FAILED_AT]
    sub     eax, 16
    xor     edx, edx
    mov     ecx, 88
    div     ecx
    mov     esi, [r13 + P_TEXTS_AT]
    lea     ecx, [rax + REFUSALS]
    call    nth
    mov     r12, rsi
    call    say
    mov     ebp, [r14 + FAILED_WITH]
    mov     ebx, 125
    mov     esi, [r13 + P_ANSWERS]
1:  mov     eax, [rsi]
    test    eax, eax
    jz      says_errno
    mov     ecx, [rsi + 4]
    add     rsi, 8
    cmp     eax, [r14 + FAILED_AT]
    jne     1b
    mov     ebp, ecx
    btr     ebp, 31
    jc      says_errno
    mov     ebp, [r14 + rcx]
    neg     ebp
    jmp     says_errno
not_started:
    call    unpack_texts
    lea     rsi, [rip + program]
    call    say
    mov     rsi, [r15]
    call    say
    lea     r12, [rip + newline]
    mov     ebp, [r14 + NOT_STARTED]
    mov     ebx, 126
    cmp     ebp, ENOENT
    jne     says_errno
    mov     ebx, 127
says_errno:
    lea     rsi, [rip + fails]
    call    say
    mov     edi, [r13 + P_ERRNOS]
1:  mov     al, [rdi]
    inc     rdi
    mov     rsi, rdi
    cmp     al, bpl
    je      3f
    test    al, al
    jz      3f
2:  cmp     byte ptr [rdi], 0
    lea     rdi, [rdi + 1]
    jne     2b
    jmp     1b
3:  call    say
    mov     rsi, r12            # the fixes are behind the text, each with its errno
4:  lodsb
    cmp     al, FIX
    ja      4b
    jb      5f
    lodsb
    cmp     al, bpl
    jne     4b
    mov     r12, rsi
    lea     rsi, [rip + indent]
    call    say
    mov     rsi, r12
    call    say
5:  lea     rsi, [rip + newline]
    call    say
    mov     edi, ebx
    jmp     finish

# Refuses to run, with the text of the number r15d.
refuse:
    call    say_refusal
    mov     edi, 125
    jmp     exit

say_refusal:
    call    unpack_texts
    lea     rsi, [rip + begins]
    call    say
    mov     esi, [r13 + P_TEXTS_AT]
    mov     ecx, r15d
    call    nth
    call    say
    lea     rsi, [rip + newline]

# Writes the text at rsi to the standard error.
say:
    mov     rdx, -1
1:  inc     rdx
    cmp     byte ptr [rsi + rdx], FIX
    ja      1b
    mov     edi, 2
    system  WRITE
    ret

# Moves rsi over as many strings as ecx says.
nth:
    jecxz   2f
1:  cmp     byte ptr [rsi], 0
    lea     rsi, [rsi + 1]
    jne     1b
    dec     ecx
    jmp     nth
2:  ret

# Writes the addresses of the strings at rsi, as many as ecx says, to rdi. Leaves rax alone.
list_strings:
    jecxz   2f
    mov     [rdi], rsi
    add     rdi, 8
1:  cmp     byte ptr [rsi], 0
    lea     rsi, [rsi + 1]
    jne     1b
    dec     ecx
    jmp     list_strings
2:  ret

# Whether the variable at r8 is in the list at rsi: by its name, up to "=", or by how it begins.
is_listed:
    cmp     byte ptr [rsi], 0
    je      4f
    mov     rdx, r8
1:  lodsb
    test    al, al
    jz      3f
    cmp     al, [rdx]
    jne     2f
    inc     rdx
    cmp     al, '='
    jne     1b
3:  stc
    ret
2:  cmp     byte ptr [rsi - 1], 0
    je      is_listed
    inc     rsi
    jmp     2b
4:  clc
    ret

# Writes the number in eax as ten digits at each offset of the list at rsi.
write_ids:
    test    esi, esi
    jz      3f
    mov     r8d, eax
    mov     r9d, 10
1:  mov     edi, [rsi]
    test    edi, edi
    jz      3f
    add     rsi, 4
    add     rdi, r14
    mov     eax, r8d
    mov     ecx, 10
2:  xor     edx, edx
    div     r9d
    add     dl, '0'
    mov     [rdi + rcx - 1], dl
    dec     ecx
    jnz     2b
    jmp     1b
3:  ret

unpack_texts:
    mov     esi, [r13 + P_TEXTS]
    mov     edi, [r13 + P_TEXTS_AT]

# Unpacks what lies at rsi to rdi (pack.ts has the format).
unpack:
    lodsd
    lea     r8, [rdi + rax]
1:  cmp     rdi, r8
    jae     4f
    movzx   edx, byte ptr [rsi]
    inc     rsi
    mov     ecx, edx
    shr     ecx, 4
    call    length
    rep     movsb
    cmp     rdi, r8
    jae     4f
    movzx   r9d, byte ptr [rsi]
    inc     rsi
    btr     r9d, 7
    jnc     2f
    movzx   eax, byte ptr [rsi]
    inc     rsi
    shl     eax, 7
    or      r9d, eax
2:  mov     ecx, edx
    and     ecx, 15
    call    length
    add     ecx, SHORTEST
    mov     r10, rsi
    mov     rsi, rdi
    sub     rsi, r9
    rep     movsb
    mov     rsi, r10
    jmp     1b
4:  ret
length:
    cmp     ecx, 15
    jne     2f
1:  movzx   eax, byte ptr [rsi]
    inc     rsi
    add     ecx, eax
    cmp     eax, 255
    je      1b
2:  ret

# Notes that the process eax has ended, if it is a copy. Its status is on the caller's stack.
note_copy:
    mov     ecx, [r13 + P_COPIES]
    cmp     eax, [rcx]
    je      1f
    add     ecx, 4
    cmp     eax, [rcx]
    jne     2f
1:  mov     dword ptr [rcx], 0
    mov     ecx, [r13 + P_COPIES]
    mov     edx, [rsp + 8]
    or      [rcx + COPY_FAILED], edx
2:  ret

    .p2align 3
every_signal:
    .quad   -1
default_path:
    .asciz  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
dev_null:
    .asciz  "/dev/null"
begins:
    .asciz  "box: "
fails:
    .asciz  " failed: "
program:
    .asciz  "box: execve of "
indent:
    .asciz  "\n  "
newline:
    .asciz  "\n"
    .section .note.GNU-stack, "", @progbits
