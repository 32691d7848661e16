# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A PKCS#11 token of SoftHSM's, in $folder/tokens. Source it after lib.bash, and make_token first.

folder=${folder:?source lib.bash first}
TOKEN_PIN=73571234

token_module=''
for token_module in /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so; do
    [[ ! -e $token_module ]] || break
done

make_token() { # label
    export SOFTHSM2_CONF=$folder/softhsm2.conf
    mkdir -p "$folder/tokens"
    printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$folder/tokens" >"$SOFTHSM2_CONF"
    (umask 077 && echo "$TOKEN_PIN" >"$folder/pin")
    token_util --init-token --free --label "$1" --so-pin 12345678 --pin "$TOKEN_PIN" || bail_out "no token"
}

token_util() {
    softhsm2-util --module "$token_module" "$@" >>"$folder/softhsm.log" 2>&1
}

# Takes NAME.key of $folder onto the token, as an object of that name, and away.
move_to_token() { # label, name, id
    openssl pkcs8 -topk8 -nocrypt -in "$folder/$2.key" -out "$folder/$2.p8" &&
        token_util --import "$folder/$2.p8" --token "$1" --label "$2" --id "$3" --pin "$TOKEN_PIN" &&
        rm "$folder/$2.p8" "$folder/$2.key" || bail_out "no key on the token"
}

token_uri() { # path attributes, query attributes besides the module
    echo "pkcs11:$1?module-path=$token_module${2:+&$2}"
}

# --- what stands on it ---------------------------------------------------------------------------

use_key() { # URI: of the end-point
    merge_policy "{\"endpoints\": [{\"name\": \"in-cse\", \"identity\": \"//m2m.example/in-cse\",
        \"serverName\": \"in-cse.m2m.example\", \"certificate\": \"in-cse.pem\", \"privateKey\": \"$1\"}]}"
}

exchange() { # URL's path, From, certificate, private key, more arguments …
    "$BUILD/e2ekeyctl" exchange --url "http://127.0.0.1:${port:?}$1" --from "$2" --certificate "$3" --private-key "$4" \
        --anchors "$folder/field-ca.pem" --server-identity //m2m.example/in-cse "${@:5}" >"$folder/out-$2" 2>&1
}

meter() { # number, more arguments …
    exchange /cse-in "Cmeter-$1" "$folder/meter-$1.pem" "$folder/meter-$1.key" "${@:2}"
}
