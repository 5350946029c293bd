/** A bundle with fewer blanks means what it meant. */

import { assertEquals } from "@std/assert";
import { squeezed } from "../../scripts/bundle/squeeze.ts";
import { test } from "../support.ts";

test("comments and blanks are left out, where they mean nothing", () => {
  const source = `// A module.
var add = (function add(a, b = 1) {
  // Returns the sum.
  return a + b; /* the end */
});

const text = \`a  b \${ add( 1 ) }  // c
    d\`;
`;
  assertEquals(
    squeezed(source),
    `var add=(function add(a,b=1){
return a + b;
});
const text=\`a  b \${add(1)}  // c
    d\`;
`,
  );
});

test("a file does what it did", async () => {
  const source = `
class Soup { #salt = 1 ; static made = 2 ; get salt ( ) { return this . #salt ; } }
const one = 1, two = 2
const half = one ? .5 : two
const list = [ 1 , 2 ] . map ( ( x ) => x + + one - - two )
const divided = ( 8 ) / two / 2
const found = /a  [/] b/g . test ( "a  / b" )
const lines = "a // b" /* c
*/
const nothing = function ( ) {
  return
  /* not returned */ 1
}
const not = one < ! -- [ two ] [ 0 ]
export default JSON . stringify ( [
  half , list , divided , found , lines , nothing ( ) === undefined , not , typeof one , two in [ 0 ] ,
  new Soup ( ) . salt , Soup . made , 1 . toFixed ( ) , \`\${ \`\${ 1 }  \` }\` , one ?? two , [ ] ?. length ,
] )`.replace("1 . toFixed", "1 .toFixed");
  const run = async (text: string) => {
    const module = await import(`data:text/javascript,${encodeURIComponent(text)}`);
    return module.default as string;
  };
  assertEquals(await run(squeezed(source)), await run(source));
});
