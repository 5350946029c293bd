# What removes the files and the control groups of a container, for x86_64, as a whole executable: the
# dispatcher (install.ts) is a shell script, and rmdir(1) and rm(1) take longer to start than all of
# what it does itself.
#
# Each argument is removed, a file or an empty directory, in their order. What is missing is passed
# over; anything else ends it with status 1, with the arguments behind it as they were.

    .intel_syntax noprefix

    .set EXIT_GROUP, 231
    .set UNLINKAT, 263

    .set AT_FDCWD, -100
    .set AT_REMOVEDIR, 0x200
    .set ENOENT, 2
    .set EISDIR, 21

    .macro system number
    mov     eax, \number
    syscall
    .endm

    .text
    # The ELF header and its only segment; see elf(5).
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
    .quad   image_end - image, image_end - image
    .quad   0x1000
segment_end:

    .globl  _start
_start:
    lea     rbx, [rsp + 8]          # argv, with the name of this program
    cmp     qword ptr [rsp], 0      # execve(2) without any: there is nothing to do
    je      end
next:
    add     rbx, 8
    mov     rsi, [rbx]
    test    rsi, rsi
    jz      end
    xor     edx, edx
    call    remove
    cmp     eax, -EISDIR
    jne     look
    mov     edx, AT_REMOVEDIR
    call    remove
look:
    test    eax, eax
    jz      next
    cmp     eax, -ENOENT
    je      next
    mov     edi, 1
    system  EXIT_GROUP
end:
    xor     edi, edi
    system  EXIT_GROUP
remove:
    mov     edi, AT_FDCWD
    system  UNLINKAT
    ret
image_end:
    .section .note.GNU-stack, "", @progbits
