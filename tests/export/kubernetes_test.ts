/** Recipes as objects of Kubernetes. */

import { stringify } from "@std/yaml";
import { assertEquals, assertThrows } from "@std/assert";
import { exportKubernetes, type KubernetesOptions } from "../../export/mod.ts";
import {
  bounds,
  capabilities,
  chdir,
  clearEnv,
  hostname,
  init,
  limits,
  mapRoot,
  overlay,
  pivotRoot,
  recipe,
  RecipeError,
  root,
  seccomp,
  setEnv,
  setUser,
  type Step,
  sysctl,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { test } from "../support.ts";
import { noPodman, withPodman } from "./podman_lab.ts";
import { withRoot } from "./support.ts";

const OPTIONS = { program: ["id"], image: "kitchen:1", name: "kitchen" } as const;
const ALL = unshare("user", "mount", "pid", "uts", "ipc", "net");

test("a recipe is a pod, and a policy for the network of its own", () => {
  const { objects, seccomp: filter } = exportKubernetes(
    recipe(
      ALL,
      mapRoot(),
      root("/srv/debian", {
        readOnly: true,
        resolvConf: true,
        hosts: { db: "10.0.0.2" },
        volumes: {
          "/data": { source: "/srv/data" },
          "/again": { source: "/srv/data", readOnly: true },
        },
      }),
      hostname("kitchen"),
      clearEnv(),
      setEnv({ PATH: "/bin" }),
      limits({ memory: 1000, cpus: 2 }),
      seccomp(),
      capabilities({ keep: ["CAP_CHOWN"] }),
      setUser({ uid: 100, gid: 101, groups: [102] }),
      capabilities({ keep: [] }),
      chdir("/data"),
    ),
    { ...OPTIONS, runtimeClass: "ramekin", namespace: "food", gracePeriod: 5 },
  );
  const labels = { "app.kubernetes.io/name": "kitchen" };
  const metadata = { name: "kitchen", namespace: "food", labels };
  assertEquals(filter, undefined);
  assertEquals<unknown>(objects, [
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: {
        restartPolicy: "Never",
        runtimeClassName: "ramekin",
        hostname: "kitchen",
        hostAliases: [{ ip: "10.0.0.2", hostnames: ["db"] }],
        dnsPolicy: "Default",
        hostUsers: false,
        terminationGracePeriodSeconds: 5,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { supplementalGroups: [102] },
        containers: [{
          name: "kitchen",
          image: "kitchen:1",
          command: ["id"],
          workingDir: "/data",
          env: [{ name: "PATH", value: "/bin" }],
          resources: { limits: { memory: "1000", cpu: "2" } },
          securityContext: {
            runAsUser: 100,
            runAsGroup: 101,
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
            seccompProfile: { type: "RuntimeDefault" },
          },
          volumeMounts: [
            { name: "tmp", mountPath: "/tmp" },
            { name: "data", mountPath: "/data" },
            { name: "data", mountPath: "/again", readOnly: true, recursiveReadOnly: "Enabled" },
          ],
        }],
        volumes: [
          { name: "tmp", emptyDir: { medium: "Memory" } },
          { name: "data", hostPath: { path: "/srv/data" } },
        ],
      },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata,
      spec: { podSelector: { matchLabels: labels }, policyTypes: ["Ingress", "Egress"] },
    },
  ]);
});

test("namespaces that a recipe does not have are the node's, and rights that it does not limit stay", () => {
  const made = recipe(
    unshare("mount"),
    tmpfs("/mnt"),
    pivotRoot("/mnt"),
    clearEnv(),
    seccomp({ deny: ["mount"] }),
  );
  const exported = exportKubernetes(made, { ...OPTIONS, kind: "deployment", replicas: 3 });
  const [object, ...others] = exported.objects;
  assertEquals([object!.kind, others], ["Deployment", []]);
  assertEquals(exported.seccomp?.path, "ramekin/kitchen.json");
  assertEquals(exported.seccomp?.profile.defaultAction, "SCMP_ACT_ERRNO");
  const { replicas, template } = (object as { spec: { replicas: number; template: unknown } }).spec;
  const { spec } = template as { spec: Record<string, unknown> & { containers: [unknown] } };
  const { hostNetwork, hostPID, hostIPC, hostUsers, restartPolicy } = spec;
  assertEquals([replicas, hostNetwork, hostPID, hostIPC, hostUsers], [
    3,
    true,
    true,
    true,
    undefined,
  ]);
  assertEquals(restartPolicy, "Always");
  const [{ securityContext }] = spec.containers as [{ securityContext: unknown }];
  assertEquals(securityContext, {
    runAsUser: 0,
    runAsGroup: 0,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: false,
    capabilities: { drop: ["ALL"], add: ["ALL"] },
    seccompProfile: { type: "Localhost", localhostProfile: "ramekin/kitchen.json" },
  });
});

test("what a pod cannot be is refused, by the steps or by what the recipe lacks", () => {
  const refused = (steps: readonly Step[], says: readonly string[], options: object = {}) => {
    const error = assertThrows(
      () => exportKubernetes(recipe(...steps), { ...OPTIONS, ...options }),
      RecipeError,
    );
    const lines = error.message.split("\n").map((line) => line.trim());
    for (const text of says) {
      assertEquals(lines.some((line) => line.includes(text)), true, `${text}\n${error.message}`);
    }
    assertEquals(lines.length, says.length, error.message);
  };
  const image = root("/srv", { discard: true });
  refused([], ["a mount namespace", "the root of its image", "never has its caller's variables"]);
  refused([unshare("mount"), root("/srv"), clearEnv()], [
    "step 2 (root): the changes of a pod end",
  ]);
  refused(
    [
      unshare("mount"),
      overlay("/mnt", { lower: ["/a"], upper: "/b", work: "/c" }),
      pivotRoot("/mnt"),
      clearEnv(),
    ],
    ["step 2 (overlay): the changes of a pod end"],
  );
  refused([unshare("user", "mount", "pid"), mapRoot(), image, clearEnv()], [
    'shares no other with its node: unshare("net", "ipc")',
  ]);
  refused([
    unshare("mount", "uts"),
    image,
    clearEnv(),
    init(),
    hostname("box"),
    sysctl({ "net.core.somaxconn": 1 }),
  ], [
    "no init()",
    "in the network of its node",
    'net.core.somaxconn is the node\'s: unshare("net")',
  ]);
  refused(
    [
      ALL,
      mapRoot(),
      image,
      clearEnv(),
      setUser({ uid: 5, keepCapabilities: true }),
      capabilities({ keep: ["CAP_CHOWN"] }),
    ],
    ["no ambient capabilities"],
  );
  refused([ALL, mapRoot(), image, clearEnv(), tmpfs("/tmp"), hostname("Big_Box")], [
    "step 5 (tmpfs): a pod mounts once at /tmp",
    'step 6 (hostname): "Big_Box" cannot be',
  ]);
  refused([ALL, mapRoot(), image, clearEnv(), limits({ cpus: 1 / 3, pids: 5, io: [] })], [
    '"pids" of every pod',
    'limits of "io"',
    '"cpus" are given in thousandths: 0.333',
  ]);
  const bounded = [ALL, mapRoot(), image, clearEnv(), bounds({ timeout: 1500 })];
  refused(bounded, ["whole seconds, and not 1500 ms"]);
  refused([...bounded.slice(0, 4), bounds({ timeout: 1000 })], ["run on: leave out"], {
    kind: "deployment",
  });
});

test("options that are none are refused", () => {
  const refused = (says: string, options: Record<string, unknown>) => {
    const given = { ...OPTIONS, ...options } as unknown as KubernetesOptions;
    assertThrows(() => exportKubernetes(recipe(), given), TypeError, says);
  };
  refused('"program"', { program: [] });
  refused('"image"', { image: "two words" });
  refused('"name"', { name: "Kitchen" });
  refused('"kind"', { kind: "daemon" });
  refused('"restart"', { restart: "often" });
  refused('"restart"', { kind: "job", restart: "always" });
  refused('"restart"', { kind: "deployment", restart: "no" });
  refused('"namespace"', { namespace: "a b" });
  refused('"runtimeClass"', { runtimeClass: "a\nb" });
  refused('"replicas"', { replicas: 1 });
  refused('"gracePeriod"', { gracePeriod: -1 });
});

test(
  "podman plays a pod, whose program sees what the steps say",
  withRoot((directory) => {
    Deno.mkdirSync(`${directory}/data`);
    Deno.writeTextFileSync(`${directory}/data/dish`, "soup\n");
    const made = recipe(
      ALL,
      mapRoot(),
      root("/srv/debian", {
        readOnly: true,
        volumes: { "/data": { source: `${directory}/data`, readOnly: true } },
      }),
      tmpfs("/scratch", { size: "1m" }),
      hostname("kitchen"),
      clearEnv(),
      setEnv({ PATH: "/bin", DISH: "$HOME soup" }),
      limits({ memory: "64m", cpus: 0.5 }),
      seccomp(),
      setUser({ uid: 100, gid: 101, groups: [102] }),
      capabilities({ keep: [] }),
      chdir("/scratch"),
    );
    const program = [
      "exec 2>&1",
      "id; hostname; pwd; echo $DISH; cat /data/dish",
      "grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status",
      "echo > /data/x; echo > /bin/x; echo > kept; ls",
      "grep -c ' 100000 ' /proc/self/uid_map",
      "exit 3",
    ].join("\n");
    const { objects } = exportKubernetes(made, {
      program: ["sh", "-c", program],
      image: "localhost/kitchen:1",
      name: "kitchen",
    });
    const text = objects.map((one) => stringify(one, { useAnchors: false })).join("---\n");
    Deno.writeTextFileSync(`${directory}/pod.yaml`, text);
    const output = withPodman(
      directory,
      `podman kube play --network=none pod.yaml >/dev/null
podman wait kitchen-kitchen
podman logs kitchen-kitchen 2>&1
podman inspect --format '{{.HostConfig.Memory}} {{.HostConfig.CpuQuota}}' kitchen-kitchen`,
    );
    assertEquals(output.split("\n"), [
      "3",
      "uid=100(100) gid=101(101) groups=101(101),102",
      "kitchen",
      "/scratch",
      "$HOME soup",
      "soup",
      "CapBnd:\t0000000000000000",
      "NoNewPrivs:\t1",
      "Seccomp:\t2",
      "sh: can't create /data/x: Read-only file system",
      "sh: can't create /bin/x: Read-only file system",
      "kept",
      "1",
      "67108864 50000",
      "",
    ]);
  }),
  noPodman,
);
