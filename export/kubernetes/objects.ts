/**
 * The objects of Kubernetes, as far as a recipe is said by them. The names are those of its API
 * (v1, apps/v1, batch/v1, networking.k8s.io/v1).
 *
 * @module
 */

/** An object of Kubernetes. */
export type KubernetesObject =
  | KubernetesPod
  | KubernetesJob
  | KubernetesDeployment
  | KubernetesNetworkPolicy;

/** Labels by which objects find each other. */
export type KubernetesLabels = Readonly<Record<string, string>>;

/** The name of an object, and where it is. */
export interface KubernetesMetadata {
  /** The name. */
  readonly name: string;
  /** The namespace of Kubernetes, or else the one that `kubectl` is set to. */
  readonly namespace?: string;
  /** Its labels. */
  readonly labels: KubernetesLabels;
}

/** A pod: containers that share a network, on one node. */
export interface KubernetesPod {
  /** The version of the API. */
  readonly apiVersion: "v1";
  /** The kind of the object. */
  readonly kind: "Pod";
  /** The name. */
  readonly metadata: KubernetesMetadata;
  /** The pod. */
  readonly spec: KubernetesPodSpec;
}

/** What a job or a deployment makes its pods from. */
export interface KubernetesPodTemplate {
  /** The labels of each pod. */
  readonly metadata: { readonly labels: KubernetesLabels };
  /** The pod. */
  readonly spec: KubernetesPodSpec;
}

/** A pod that is run to its end. */
export interface KubernetesJob {
  /** The version of the API. */
  readonly apiVersion: "batch/v1";
  /** The kind of the object. */
  readonly kind: "Job";
  /** The name. */
  readonly metadata: KubernetesMetadata;
  /** The job. */
  readonly spec: {
    /** How many pods may fail before the job has. */
    readonly backoffLimit: number;
    /** The pod. */
    readonly template: KubernetesPodTemplate;
  };
}

/** Pods that are kept running. */
export interface KubernetesDeployment {
  /** The version of the API. */
  readonly apiVersion: "apps/v1";
  /** The kind of the object. */
  readonly kind: "Deployment";
  /** The name. */
  readonly metadata: KubernetesMetadata;
  /** The deployment. */
  readonly spec: {
    /** How many pods there are. */
    readonly replicas: number;
    /** Which pods are its own. */
    readonly selector: { readonly matchLabels: KubernetesLabels };
    /** The pod. */
    readonly template: KubernetesPodTemplate;
  };
}

/** Whom pods reach, and who reaches them. */
export interface KubernetesNetworkPolicy {
  /** The version of the API. */
  readonly apiVersion: "networking.k8s.io/v1";
  /** The kind of the object. */
  readonly kind: "NetworkPolicy";
  /** The name. */
  readonly metadata: KubernetesMetadata;
  /** The policy. */
  readonly spec: {
    /** Which pods it is about. */
    readonly podSelector: { readonly matchLabels: KubernetesLabels };
    /** What it is about; where it names nothing for one of them, nothing is let through. */
    readonly policyTypes: readonly ("Ingress" | "Egress")[];
    /** Where packets may go. */
    readonly egress?: readonly Readonly<Record<never, never>>[];
  };
}

/** The containers of a pod, and what they share. */
export interface KubernetesPodSpec {
  /** Whether the container is started again. */
  readonly restartPolicy: "Never" | "OnFailure" | "Always";
  /** The runtime of the node, by its RuntimeClass. */
  readonly runtimeClassName?: string;
  /** The name that uname(2) returns. */
  readonly hostname?: string;
  /** Further lines of /etc/hosts. */
  readonly hostAliases?: readonly { readonly ip: string; readonly hostnames: readonly string[] }[];
  /** Where names are looked up. */
  readonly dnsPolicy?: "Default";
  /** False for a user namespace of its own. */
  readonly hostUsers?: false;
  /** Whether it is in the network of the node. */
  readonly hostNetwork?: true;
  /** Whether it sees the processes of the node. */
  readonly hostPID?: true;
  /** Whether it has the shared memory of the node. */
  readonly hostIPC?: true;
  /** Whether an init that is no part of the image is its first process. */
  readonly shareProcessNamespace?: true;
  /** The seconds after which it is ended. */
  readonly activeDeadlineSeconds?: number;
  /** The seconds between SIGTERM and SIGKILL. */
  readonly terminationGracePeriodSeconds?: number;
  /** Whether it gets a password of the cluster. */
  readonly automountServiceAccountToken: false;
  /** Whether it gets variables about services. */
  readonly enableServiceLinks: false;
  /** What is said of all containers. */
  readonly securityContext?: {
    /** Further groups. */
    readonly supplementalGroups?: readonly number[];
    /** Settings of the kernel. */
    readonly sysctls?: readonly { readonly name: string; readonly value: string }[];
  };
  /** The containers: one. */
  readonly containers: readonly KubernetesContainer[];
  /** The volumes. */
  readonly volumes?: readonly KubernetesVolume[];
}

/** A container of a pod. */
export interface KubernetesContainer {
  /** The name. */
  readonly name: string;
  /** The image. */
  readonly image: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** The working directory. */
  readonly workingDir?: string;
  /** The environment. */
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  /** How much of the node it has. */
  readonly resources?: { readonly limits: Readonly<Record<string, string>> };
  /** Who it is, and what it may do. */
  readonly securityContext: KubernetesSecurityContext;
  /** Where the volumes are. */
  readonly volumeMounts?: readonly KubernetesVolumeMount[];
}

/** Who a container is, and what it may do. */
export interface KubernetesSecurityContext {
  /** The user. */
  readonly runAsUser: number;
  /** The group. */
  readonly runAsGroup: number;
  /** Whether a program may gain privileges by execve(2). */
  readonly allowPrivilegeEscalation: boolean;
  /** Whether the root cannot be changed. */
  readonly readOnlyRootFilesystem: boolean;
  /** The capabilities. */
  readonly capabilities: { readonly drop: readonly ["ALL"]; readonly add?: readonly string[] };
  /** The filter of system calls. */
  readonly seccompProfile:
    | { readonly type: "RuntimeDefault" | "Unconfined" }
    | { readonly type: "Localhost"; readonly localhostProfile: string };
}

/** Where a volume is in a container. */
export interface KubernetesVolumeMount {
  /** The volume. */
  readonly name: string;
  /** The path in the container. */
  readonly mountPath: string;
  /** Whether it cannot be changed. */
  readonly readOnly?: true;
  /** Whether what is mounted below it cannot be changed either. */
  readonly recursiveReadOnly?: "Enabled";
}

/** A volume: a file or directory of the node, or memory. */
export interface KubernetesVolume {
  /** The name. */
  readonly name: string;
  /** A file or directory of the node. */
  readonly hostPath?: { readonly path: string };
  /** An empty directory in memory. */
  readonly emptyDir?: { readonly medium: "Memory"; readonly sizeLimit?: string };
}
