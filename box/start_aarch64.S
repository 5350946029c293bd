    .text
    .globl _start
_start: b run
