#include <stdio.h>

int main(void) {
  puts("Hello from a program that was compiled in a container.");
  return 0;
}
