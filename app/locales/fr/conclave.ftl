### Ce que dit le client, en français : vouvoiement, typographie française.

app-name = Conclave
language-name = Français
menu-language = Langue
menu-theme = Apparence
menu-preferences = Langue et apparence
menu-bandwidth = Bande passante
bandwidth-automatic = Automatique
bandwidth-limited = Limitée
bandwidth-save-data = Économiser les données
bandwidth-incoming-off = Désactiver la vidéo entrante
bandwidth-incoming-off-short = Vidéo entrante désactivée
bandwidth-send = Débit maximal en envoi
bandwidth-receive = Débit maximal en réception
bandwidth-unlimited = Aucune limite
bandwidth-policy = { $rate } · Défini par votre organisation
bandwidth-policy-short = Défini par votre organisation
bandwidth-network = Ce réseau
bandwidth-metered = Connexion limitée
bandwidth-forget = Oublier les réseaux connus
theme-system = Selon le système
theme-dark = Sombre
theme-light = Claire
theme-contrast = Contraste élevé, sombre
theme-contrast-light = Contraste élevé, clair
action-back = Retour
action-cancel = Annuler
action-close = Fermer
action-dismiss = Masquer
action-paste = Coller

## Accueil
home-title = Des visioconférences que seuls les participants voient et entendent
home-lead = Le son, l’image et les noms sont chiffrés sur cet appareil. Le serveur qui les transmet ne peut pas les lire.
home-start-title = Démarrer une visioconférence
home-start-text = Vous obtenez un lien à envoyer aux autres.
home-start = Démarrer
home-start-later = Votre autre visioconférence est toujours en cours sur cet ordinateur. Revenez-y ou terminez-la d’abord.
home-join-title = Rejoindre avec un lien
home-join-text = Collez le lien que vous avez reçu.
home-link = Lien de la visioconférence
home-link-placeholder = conclave://…
home-join = Rejoindre
home-recent = Visioconférences récentes
home-recent-empty = Vos dernières visioconférences apparaîtront ici.
home-recent-join = Rejoindre
home-recent-join-name = Rejoindre à nouveau : { $title }
home-recent-forget = Retirer de la liste : { $title }
home-recent-title = Visioconférence sur { $host }
home-recent-with-one = Visioconférence avec { $name }
home-recent-with-two = Visioconférence avec { $first } et { $second }
home-recent-with-more = Visioconférence avec { $first }, { $second } et { $count ->
    [one] une autre personne
   *[other] { $count } autres personnes
}
home-recent-organised = organisée par vous
home-recent-over = terminée
home-navigation = Conclave

link-not-a-link = Ce n’est pas un lien de visioconférence. Un lien commence par conclave://. Copiez-le en entier depuis l’invitation.
link-truncated = La fin de ce lien manque. Copiez-le en entier ou redemandez-le.
link-version = Ce lien vient d’une autre version de Conclave. Mettez Conclave à jour ou demandez à l’expéditeur du lien de le faire.
link-host = Ce lien n’indique pas l’adresse du serveur. Redemandez-le.
link-damaged = Ce lien a été altéré. Redemandez-le.

ago-now = à l’instant
ago-minutes = { $count ->
    [one] il y a { $count } minute
   *[other] il y a { $count } minutes
}
ago-hours = { $count ->
    [one] il y a { $count } heure
   *[other] il y a { $count } heures
}
ago-days = { $count ->
    [one] hier
   *[other] il y a { $count } jours
}

## Avant d’entrer
preview-start-title = Démarrer une visioconférence
preview-join-title = Rejoindre la visioconférence
preview-on-host = sur { $host }
preview-here = sur cet ordinateur
preview-picture = Votre image
preview-camera-off = Votre caméra est coupée
preview-camera-none = Aucune caméra détectée
preview-camera-wait = Démarrage de la caméra…
preview-microphone-none = Aucun micro détecté
    .advice = Branchez-en un ou continuez sans : vous entendrez les autres, mais ils ne vous entendront pas.
preview-again = Réessayer
preview-again-camera = Réessayer : caméra
preview-again-microphone = Réessayer : micro
preview-name = Votre nom
preview-name-placeholder = Tel que les autres le verront
preview-name-empty = Saisissez votre nom
preview-name-long = 64 caractères au maximum
preview-camera = Caméra
preview-microphone = Micro
preview-speaker = Haut-parleur
preview-level = Niveau du micro
preview-encrypted = Votre nom est chiffré : seuls les participants peuvent le voir.
connection-test = Tester la connexion
connection-again = Relancer le test
connection-cancel = Annuler
connection-cancel-name = Annuler le test de connexion
connection-connecting = Connexion au serveur…
connection-testing = Test de la connexion… { $percent } %
connection-testing-tcp = UDP est bloqué. Test via TCP… { $percent } %
connection-good = Votre connexion est bonne : vidéo en 720p.
connection-small = Votre connexion est lente : la vidéo sera en basse résolution.
connection-sound = Votre connexion est trop lente pour la vidéo : son uniquement.
connection-unusable = Votre connexion est trop mauvaise pour une visioconférence : le son sera haché.
connection-cause-udp = Votre réseau bloque UDP. Le son et la vidéo passent par TCP, ce qui est plus lent.
connection-cause-upload = Votre débit d’envoi est faible : les autres vous verront en qualité réduite.
connection-cause-download = Votre débit de réception est faible : vous verrez les autres en qualité réduite.
connection-cause-loss = Votre réseau perd des données : le son et la vidéo risquent d’être hachés.
connection-cause-delay = Votre réseau répond lentement : attendez-vous à un décalage dans les conversations.
connection-unsupported = Le serveur ne peut pas tester la connexion
    .advice = Sa version de Conclave est trop ancienne. Vous pouvez quand même demander à entrer.
connection-busy = Le serveur ne peut pas tester la connexion pour le moment
    .advice = Trop de tests sont en cours. Réessayez dans une minute.
connection-no-path = Le son et la vidéo n’atteignent pas le serveur
    .advice = Votre réseau bloque UDP, et ce serveur n’accepte ni le son ni la vidéo par TCP.
connection-figures = { $path } · aller-retour { $round } · gigue { $jitter } · pertes { $lostup } en envoi, { $lostdown } en réception · envoi { $up } · réception { $down }
connection-at-least = au moins { $rate }
preview-start = Démarrer
preview-join = Demander à entrer
device-none-camera = Aucune
device-none-sound = Aucun
device-default-camera = Caméra par défaut
device-default-microphone = Micro par défaut
device-default-speaker = Haut-parleur par défaut
device-synthetic = Mire
device-file = Fichier : { $name }
device-unplugged = { $name } (non connecté)

## Entrer
enter-starting = Démarrage de la visioconférence…
enter-returning = Retour à la visioconférence…
enter-connecting = Connexion au serveur…
enter-approaching = Connecté. Recherche de la visioconférence…
enter-knocking = Demande envoyée. En attente de l’accord de l’organisateur…
enter-text = Pour l’instant, personne ne vous voit ni ne vous entend.
enter-cancel = Annuler

## Visioconférence
meeting-title = Visioconférence
meeting-bar = Commandes de la visioconférence
meeting-stage = Participants
meeting-status = Visioconférence
meeting-people-count = { $count ->
    [one] { $count } personne
   *[other] { $count } personnes
}
meeting-alone = Vous êtes seul(e) pour l’instant. Envoyez le lien aux personnes que vous souhaitez inviter.
meeting-copy-link = Copier le lien
meeting-mute-name = Couper le micro
meeting-mute-on = Couper le micro
meeting-mute-off = Activer le micro
meeting-mute-none = Pas de micro
meeting-camera-name = Caméra
meeting-camera-on = Couper la caméra
meeting-camera-off = Activer la caméra
meeting-camera-none = Pas de caméra
meeting-share = Partager l’écran
meeting-share-stop = Arrêter le partage
meeting-people = Participants
meeting-leave = Quitter
meeting-leave-name = Quitter la visioconférence
meeting-choose-microphone = Choisir le micro et le haut-parleur
meeting-choose-camera = Choisir la caméra
meeting-full-screen = Plein écran
meeting-notices = Notifications
meeting-notices-empty = Aucune notification.
meeting-sharing-you = Vous partagez votre écran
meeting-sharing-seen = { $count ->
    [0] Personne d’autre n’est là pour le voir.
    [one] Une personne le voit.
   *[other] { $count } personnes le voient.
}
meeting-talk = Micro activé tant que vous maintenez la barre d’espace

## Raccourcis clavier
hint = { $words } ({ $keys })
key-command = Ctrl
key-command-macos = Cmd
key-shift = Maj
key-alt = Alt
key-escape = Échap
key-space = Barre d’espace
shortcuts-title = Raccourcis clavier
shortcut-mute = Couper ou activer le micro
shortcut-talk = Maintenir pour parler quand le micro est coupé
shortcut-camera = Couper ou activer la caméra
shortcut-share = Partager l’écran, ou arrêter le partage
shortcut-people = Afficher ou masquer les participants
shortcut-close = Fermer un menu, une boîte de dialogue ou un volet
shortcut-list = Afficher cette liste
shortcut-region = Aller à la partie suivante de la fenêtre
meeting-reconnecting = Connexion perdue. Reconnexion…
meeting-reconnecting-text = L’image peut se figer, et les autres ne vous voient et ne vous entendent peut-être plus. Conclave essaie de se reconnecter pendant deux minutes. Vérifiez votre connexion.

tile-you = { $name }, vous
tile-organiser = organisateur
tile-muted = micro coupé
tile-no-microphone = sans micro
tile-speaking = parle
tile-reconnecting = Reconnexion…
tile-camera-on = caméra activée
tile-camera-off = caméra coupée
tile-no-camera = sans caméra
tile-no-video = sans image
tile-sharing = partage son écran
tile-screen = Écran : { $name }

## Statistiques
statistics-title = Statistiques
shortcut-statistics = Afficher ou masquer les statistiques
statistics-empty = Les statistiques s’affichent une seconde après votre arrivée.
statistics-path = Votre connexion au serveur
statistics-download = Réception
statistics-upload = Envoi
statistics-round-trip = Aller-retour
statistics-unknown = pas encore mesuré
statistics-none = aucune
statistics-sent = Ce que vous envoyez
statistics-camera = Caméra
statistics-screen = Écran partagé
statistics-sound = Son
statistics-video = Vidéo
statistics-wished = Taille à l’écran
statistics-received = Reçu
statistics-shown = Décodé · affiché
statistics-bitrate = Débit
statistics-loss = Paquets perdus
statistics-jitter = Gigue
statistics-decoding = Décodage
statistics-encoding = Encodage
statistics-delay = Tampon audio
statistics-concealed = Son reconstitué
statistics-slowed = Son ralenti pour combler un retard
statistics-sped-up = Son accéléré pour rattraper le retard
statistics-fps = { $count } i/s
statistics-kbps = { $rate } kbit/s
statistics-mbps = { $rate } Mbit/s
statistics-ms = { $time } ms
statistics-ms-picture = { $time } ms par image
statistics-percent = { $part } %
statistics-lost = { $part } % de pertes
statistics-export = Exporter en CSV
statistics-export-text = La dernière heure de chaque connexion, seconde par seconde, à transmettre à votre service informatique.

quality-good = bonne connexion
quality-fair = connexion instable
quality-poor = mauvaise connexion

## Pourquoi une image est réduite. Le texte sur la vignette doit être court.
limit-cause = Cause : { $owner }
limit-owner-computer = votre ordinateur
limit-owner-you = un de vos réglages
limit-owner-organisation = votre organisation
limit-owner-sender = { $name }
limit-owner-server = le serveur
limit-owner-path = votre connexion
limit-figures = { $shown } au lieu de { $wished }, { $rate } i/s
limit-reconnecting = Votre connexion est interrompue : l’image est figée.
    .short = Reconnexion…
limit-sender-reconnecting = { $name } a perdu la connexion et tente de se reconnecter.
    .short = Reconnexion…
limit-connecting = La vidéo envoyée par { $name } n’est pas encore arrivée.
    .short = Connexion…
limit-not-visible = La vidéo envoyée par { $name } est en pause, car elle n’est pas affichée.
    .short = En pause
limit-sound-only = Votre connexion est trop lente pour la vidéo : vous ne recevez que le son.
    .short = Connexion lente : son seul
limit-downlink-narrow = Votre connexion est lente : la vidéo envoyée par { $name } est réduite.
    .short = Votre connexion est lente
limit-downlink-loss = Votre connexion perd des données : la vidéo envoyée par { $name } est réduite.
    .short = Votre connexion est instable
limit-own-receive = Vous limitez la bande passante : la vidéo envoyée par { $name } est réduite.
    .short = Bande passante limitée
limit-policy-receive = Votre organisation limite la bande passante : la vidéo envoyée par { $name } est réduite.
    .short = Limite de l’organisation
limit-incoming-off = Vous avez désactivé la vidéo entrante.
    .short = Vidéo entrante désactivée
limit-own-send = Vous limitez la bande passante : les autres voient votre vidéo en qualité réduite.
    .short = Bande passante limitée
limit-policy-send = Votre organisation limite la bande passante : les autres voient votre vidéo en qualité réduite.
    .short = Limite de l’organisation
limit-own-battery = Votre batterie est faible : les autres voient votre vidéo en qualité réduite.
    .short = Batterie faible
limit-own-heat = Votre ordinateur est trop chaud : les autres voient votre vidéo en qualité réduite.
    .short = Ordinateur trop chaud
limit-own-uplink = Votre connexion est lente : les autres voient votre vidéo en qualité réduite.
    .short = Votre connexion est lente
limit-own-computer = Votre ordinateur est saturé : la vidéo envoyée par { $name } est réduite.
    .short = Votre ordinateur est saturé
limit-own-computer-sent = Votre ordinateur est saturé : les autres voient votre vidéo en qualité réduite.
limit-sender-uplink = { $name } a une connexion lente : sa vidéo est réduite.
    .short = Sa connexion est lente
limit-sender-computer = L’ordinateur utilisé par { $name } est saturé : sa vidéo est réduite.
    .short = Son ordinateur est saturé
limit-sender-camera = La caméra utilisée par { $name } n’offre pas plus de détails.
    .short = Caméra de faible résolution
limit-sender-screen = L’écran partagé par { $name } n’offre pas plus de détails.
    .short = Écran de faible résolution
limit-sender = L’appareil utilisé par { $name } envoie une vidéo réduite.
    .short = Vidéo réduite à l’envoi
limit-server = Le serveur réduit la vidéo envoyée par { $name }.
    .short = Réduite par le serveur

## Quitter
leave-title = Quitter la visioconférence ?
leave-guest-text = La visioconférence continue sans vous.
leave-leave = Quitter
leave-leave-text = Les autres continuent sans vous. Plus personne ne pourra entrer avant votre retour.
leave-leave-hosted-text = Les autres continuent sans vous tant que Conclave reste ouvert sur cet ordinateur. Plus personne ne pourra entrer avant votre retour.
leave-end = Terminer pour tous
leave-end-alone = Terminer la visioconférence
leave-end-text = La visioconférence se termine pour tous les participants et son lien ne fonctionne plus.
leave-end-alone-text = Personne d’autre n’est présent. Le lien de la visioconférence ne fonctionnera plus.
leave-host = Continuer à héberger en arrière-plan
leave-host-text = Les autres continuent et le lien permet toujours d’entrer. Ils ne vous voient plus et ne vous entendent plus, et réciproquement.
leave-host-alone-text = Le lien permet toujours d’entrer. Personne ne vous verra ni ne vous entendra avant votre retour.
end-title = Terminer la visioconférence pour tous ?
end-alone-title = Terminer la visioconférence ?
end-close-title = Fermer Conclave et terminer la visioconférence ?
end-close-text = La visioconférence est hébergée sur cet ordinateur. Si vous fermez Conclave, elle se termine pour tous les participants et son lien ne fonctionne plus.
end-close-alone-text = La visioconférence est hébergée sur cet ordinateur et personne d’autre n’y participe. Si vous fermez Conclave, elle prend fin et son lien ne fonctionne plus.
end-close-confirm = Fermer et terminer
hosted-background = Votre visioconférence est toujours en cours
hosted-background-text = { $count ->
    [0] Personne d’autre n’y participe pour l’instant. Le lien permet toujours d’entrer ; personne ne vous verra ni ne vous entendra avant votre retour.
    [one] Une autre personne est présente. Vous ne vous voyez pas et ne vous entendez pas. Le lien permet toujours d’entrer.
   *[other] { $count } autres personnes sont présentes. Elles ne vous voient pas et ne vous entendent pas, et réciproquement. Le lien permet toujours d’entrer.
}
hosted-left = Vous avez quitté votre visioconférence
hosted-left-here-text = Les autres peuvent y rester tant que Conclave est ouvert sur cet ordinateur. Plus personne ne pourra entrer avant votre retour.
hosted-left-elsewhere-text = Les autres y sont peut-être encore. Plus personne ne pourra entrer avant votre retour. Vous pouvez revenir en tant qu’organisateur tant que Conclave reste ouvert.
hosted-return = Revenir
hosted-forget = Ne pas revenir

## Demandes d’entrée avec un ancien lien
asking-title = Demandes d’entrée
asking-name = { $name } demande à entrer avec un ancien lien
asking-text = Le lien a changé quand vous avez exclu quelqu’un. N’acceptez que les personnes attendues : les noms ne sont pas vérifiés.
asking-admit = Accepter
asking-admit-name = Accepter { $name }
asking-decline = Refuser
asking-decline-name = Refuser { $name }
asking-more = { $count ->
    [one] Une autre personne demande aussi à entrer.
   *[other] { $count } autres personnes demandent aussi à entrer.
}

## Participants
people-title = Participants
people-organiser = Organisateur
people-remove = Exclure { $name }
people-remove-title = Exclure { $name } ?
people-remove-text = { $name } sera exclu immédiatement et ne pourra plus rien voir ni entendre. Les clés changent pour tous les autres.
people-remove-confirm = Exclure
people-device = Appareil { $key }
name-alike = Nom semblable à celui d’un autre participant
name-mixed = Nom mêlant des alphabets qui se ressemblent
people-invite = Copier le lien d’invitation
people-address = Adresse dans le lien
people-address-other = Autre nom ou adresse
people-address-wrong = Saisissez un nom ou une adresse sans port, par exemple meet.example.org.
people-invite-text = Toute personne disposant de ce lien peut participer.
people-invite-unattended = L’organisateur est parti : plus personne ne peut entrer.

## Partage
share-title = Partager votre écran
share-text = Tous les participants verront tout ce qui s’affiche sur l’écran choisi, y compris les notifications.
share-screen = Écran { $number }
share-only-screen = Votre écran
share-video-clip = Optimiser pour un clip vidéo
share-confirm = Partager
hint-video = Vidéo
hint-sign-language = Je m’exprime en langue des signes : garder ma vidéo fluide

## Sécurité
lock-open = Sécurisation en cours…
lock-closed = Chiffrée de bout en bout
lock-verified = Chiffrée et vérifiée
lock-attention = À revérifier
lock-different = Mots différents
lock-button = Sécurité : { $state }
lock-title = Sécurité de la visioconférence
lock-closed-text = { $count ->
    [one] Seule la personne de la liste peut voir et entendre la visioconférence.
   *[other] Seules les { $count } personnes de la liste peuvent voir et entendre la visioconférence.
}
lock-open-text = Les clés de chiffrement sont en cours d’échange. D’ici là, rien n’est envoyé.
lock-verified-text = Vous avez comparé les mots avec les autres : personne n’intercepte les échanges.
lock-attention-text = Un participant est arrivé ou parti depuis la vérification. Les clés ont changé, les mots aussi.
lock-different-text = Vérifiez que tout le monde lit la même liste et que personne n’est en train d’entrer. Si les mots diffèrent toujours, quelqu’un intercepte peut-être les échanges : ne dites rien de confidentiel, quittez la visioconférence et démarrez-en une autre. Transmettez son lien autrement, de vive voix ou par téléphone.
lock-words = Mots de vérification
lock-words-text = Lisez à voix haute l’une des deux listes, la même pour tous. Si tout le monde voit les mêmes mots, personne n’intercepte les échanges.
lock-words-english = Mots anglais
lock-words-french = Mots français
lock-confirm = Identiques
lock-differ = Différents
lock-match-after-all = Finalement, les mots sont identiques
lock-confirmed = Mots vérifiés
lock-epoch = { $count ->
    [0] Clés pas encore renouvelées
    [one] Clés renouvelées une fois
   *[other] Clés renouvelées { $count } fois
}
lock-suite = Suite cryptographique { $suite }
lock-passing = La clé de cet appareil n’est pas conservée à la fermeture de Conclave : la prochaine fois, les autres le verront comme un nouvel appareil.

## Annonces aux outils d’assistance
said-joined = { $name } a rejoint la visioconférence
said-left = { $name } a quitté la visioconférence
said-joined-many = { $count } personnes ont rejoint la visioconférence
said-left-many = { $count } personnes ont quitté la visioconférence
said-muted = Votre micro est coupé
said-unmuted = Votre micro n’est plus coupé
said-sharing = { $name } partage son écran
said-sharing-ended = { $name } ne partage plus son écran
said-entered = Vous êtes dans la visioconférence
said-name-alike = Le nom { $name } ressemble à celui d’un autre participant
said-name-mixed = Le nom { $name } mêle des alphabets qui se ressemblent
said-asking = { $name } demande à entrer avec un ancien lien
said-asking-many = { $count } personnes demandent à entrer avec un ancien lien

## Notifications : quoi, d’où cela vient, que faire
notice-region = Notifications
notice-details = Détails : { $detail }
fault-here = Cet ordinateur
fault-network = Le réseau
fault-server = Le serveur
fault-link = L’invitation
fault-peer = Un autre participant
notice-no-camera = Aucune caméra détectée
    .advice = Branchez-en une ou continuez sans image : les autres verront vos initiales.
notice-camera-taken = Un autre programme utilise la caméra
    .advice = Fermez ce programme, puis réactivez la caméra.
notice-camera-lost = La caméra s’est arrêtée
    .advice = Elle est débranchée ou en panne. Rebranchez-la ou choisissez-en une autre.
notice-camera-failed = Impossible d’ouvrir la caméra
    .advice = Autorisez Conclave à l’utiliser dans les réglages de confidentialité du système ou choisissez une autre caméra.
notice-no-sound = Aucun appareil audio détecté
    .advice = Vous n’entendez rien et personne ne vous entend. Branchez un casque : Conclave l’utilisera.
notice-no-microphone = Impossible d’utiliser le micro
    .advice = Vous entendez les autres, mais ils ne vous entendent pas. Vérifiez qu’il est branché ou utilisez-en un autre.
notice-no-speaker = Impossible d’utiliser le haut-parleur
    .advice = Les autres vous entendent, mais vous ne les entendez pas. Vérifiez qu’il est branché ou utilisez-en un autre.
notice-sound-refused = Le serveur audio a refusé ce programme
    .advice = Vous n’entendez rien et personne ne vous entend. Lancez Conclave avec le compte dont la session est ouverte, ou copiez le fichier ~/.config/pulse/cookie de ce compte.
notice-sound-lost = Un micro ou un haut-parleur ne fonctionne plus
    .advice = Il a été débranché ou il est en panne. Rebranchez-le ou branchez-en un autre : Conclave l’utilisera.
notice-sound-back = Un micro ou un haut-parleur est connecté
    .advice = Conclave l’utilise désormais. Les détails indiquent lequel. Si vous n’aviez plus de micro, réactivez-le pour être entendu.
notice-missing-file = Le fichier { $name } est introuvable
    .advice = Il a peut-être été déplacé, renommé ou supprimé. Vérifiez son nom et son dossier, ou choisissez-en un autre.
notice-bad-file = Impossible d’utiliser le fichier { $name }
    .advice = Il est peut-être endommagé, ou vous n’avez pas les droits nécessaires. Choisissez un autre fichier.
notice-file-format = Conclave ne peut pas lire { $name }
    .advice = Conclave lit le MP4 en H.264 (8 bits, 4:2:0, progressif) et le Y4M. Convertissez le fichier avec cette commande : ffmpeg -i FICHIER -vf yadif=deint=interlaced -c:v libx264 -pix_fmt yuv420p NOUVEAU.mp4
notice-sound-format = Conclave ne lit pas ce type de fichier audio
    .advice = Il lit le WAV en PCM ou en virgule flottante. Convertissez le fichier avec cette commande : ffmpeg -i FICHIER -c:a pcm_s16le NOUVEAU.wav
notice-not-written = Impossible d’enregistrer le fichier { $name }
    .advice = Son dossier n’existe pas ou n’est pas accessible en écriture. Ce que vous voyez et entendez n’y est pas enregistré. Choisissez un autre dossier.
notice-disk-full = Le disque est plein
    .advice = Le fichier { $name } n’est plus enregistré. La visioconférence continue. Libérez de l’espace, puis recommencez.
notice-no-screen = Impossible de partager l’écran
    .advice = Les détails en donnent la raison. Si le système a refusé l’accès, vérifiez les autorisations de partage d’écran de cette session.
notice-screen-format = Cet écran ne peut pas être partagé
    .advice = Son format de couleurs n’est pas pris en charge. Réglez l’affichage sur 24 bits, puis partagez-le de nouveau.
notice-too-narrow = Cette vidéo est trop étroite pour être envoyée
    .advice = Un côté est plus de 240 fois plus long que l’autre. Choisissez une autre caméra, un autre fichier ou un autre écran.
notice-still-waiting = Personne n’a encore répondu
    .advice = Votre demande est en attente chez l’organisateur. Patientez ou contactez-le par un autre moyen.
notice-nobody-admits = Personne ne peut vous faire entrer
    .advice = L’organisateur est parti. Demandez-lui de revenir.
notice-organiser-left = L’organisateur a quitté la visioconférence
    .advice = Vous pouvez continuer, mais plus personne ne peut entrer.
notice-overloaded = Cet ordinateur est trop lent pour tout envoyer
    .advice = Votre vidéo est moins fluide pour les autres. Fermez d’autres programmes pour l’améliorer.
notice-codec-replaced = La vidéo utilise maintenant un autre codec
    .advice = Le premier a échoué, et la vidéo continue. Si cela arrive souvent, mettez à jour le pilote de votre carte graphique.
notice-track-failed = Votre vidéo ne peut pas être envoyée
    .advice = Cet ordinateur n’a pas pu l’encoder. Réactivez la caméra ou partagez l’écran à nouveau. Si cela échoue, redémarrez Conclave.
notice-peer-unreadable = Impossible d’afficher l’image d’un participant
    .advice = Elle ne peut être ni déchiffrée ni décodée. Si cela continue, demandez à cette personne de quitter la visioconférence, puis d’y revenir.
notice-not-allowed = Vous n’avez pas le droit de faire cela
    .advice = Demandez ce droit à l’organisateur, ou demandez-lui de le faire à votre place.
notice-not-below = Vous pouvez seulement modifier ou exclure les personnes dont le rôle est inférieur au vôtre
    .advice = Demandez à l’organisateur de le faire.
notice-person-left = Cette personne a quitté la visioconférence
    .advice = Son rôle n’a pas changé. Réessayez si elle revient.
notice-right-impossible = Seul un coorganisateur peut avoir ce droit
    .advice = Nommez d’abord cette personne coorganisatrice.
notice-too-many-roles = Trop de personnes ont un rôle ou des droits particuliers
    .advice = Retirez-les à quelqu’un qui n’en a plus besoin, puis réessayez.
notice-keys-missing = Votre nouveau rôle n’est pas encore en place
    .advice = L’ordinateur de l’autre organisateur vous envoie les clés de la visioconférence. Réessayez dans un instant.
notice-not-removed = Un participant n’a pas pu être exclu
    .advice = Il est toujours dans la visioconférence. Réessayez, ou quittez-la et commencez-en une autre sans lui.
notice-change-rejected = Une modification demandée par un participant a été rejetée
    .advice = Elle est invalide ou interdite, donc cet ordinateur l’ignore. Si cela continue, l’organisateur peut exclure cette personne.
notice-reconnecting = Connexion perdue. Reconnexion…
    .advice = Vous restez dans la visioconférence. Elle reprend dès que la connexion est rétablie.
notice-reconnected = Connexion rétablie
    .advice = La visioconférence reprend.
notice-old-link-refused = Quelqu’un a essayé d’entrer avec un ancien lien
    .advice = Le lien a changé quand vous avez exclu un participant. Envoyez le nouveau lien aux personnes attendues.
notice-wrong-clock = Cet ordinateur et le serveur ne sont pas à la même heure
    .advice = Si l’heure de cet ordinateur est fausse, personne ne pourra entrer dans votre visioconférence : activez le réglage automatique de la date et de l’heure.
notice-refused = L’action n’a pas abouti
    .advice = La visioconférence était trop sollicitée. Réessayez dans un instant.
notice-no-gpu = Les images sont affichées sans carte graphique
    .advice = Aucun pilote graphique utilisable n’a été trouvé. Les grandes visioconférences seront plus lentes.
notice-no-keychain = La clé de cet appareil ne peut pas être conservée
    .advice = Le trousseau du système ne répond pas. La visioconférence reste chiffrée de bout en bout, mais la prochaine fois, les autres verront cet appareil comme nouveau.
notice-link-changed = Le lien a changé
    .advice = L’ancien ne suffit plus pour entrer. Envoyez le nouveau aux personnes que vous attendez encore.
notice-statistics-saved = Statistiques enregistrées sous { $name }
    .advice = Le dossier est indiqué dans les détails.
notice-link-copied = Lien copié
    .advice = Ne l’envoyez qu’aux personnes que vous souhaitez inviter : toute personne disposant de ce lien peut participer.

## Pourquoi une visioconférence est finie
ended-title = Vous n’êtes plus dans la visioconférence
ended-outside = Vous n’avez pas rejoint la visioconférence
ended-not-started = La visioconférence n’a pas pu démarrer
ended-home = Accueil
ended-again = Réessayer
ended-left = Vous avez quitté la visioconférence
    .advice = Elle se poursuit sans vous.
ended-removed = L’organisateur vous a exclu
    .advice = Vous ne pouvez plus ni voir ni entendre la visioconférence. S’il s’agit d’une erreur, contactez l’organisateur.
ended-refused = L’organisateur a refusé votre demande
    .advice = S’il s’agit d’une erreur, contactez l’organisateur par un autre moyen.
ended-unattended = Personne n’a pu vous faire entrer
    .advice = L’organisateur est parti. Demandez-lui de revenir, puis réessayez.
ended-barred = L’organisateur vous a exclu de cette visioconférence
    .advice = Vous ne pouvez plus y entrer. S’il s’agit d’une erreur, contactez l’organisateur.
ended-old-link = Ce lien n’est plus valable
    .advice = Il a changé quand l’organisateur a exclu un participant. Demandez-lui le nouveau lien.
ended-locked = La visioconférence est verrouillée
    .advice = Plus personne ne peut y entrer. Demandez à l’organisateur de la déverrouiller, puis réessayez.
ended-own-clock = L’horloge de cet ordinateur n’est pas à l’heure
    .advice = Activez le réglage automatique de la date et de l’heure, puis réessayez.
ended-organiser-clock = L’ordinateur de l’organisateur n’est pas à l’heure
    .advice = Demandez-lui d’activer le réglage automatique de la date et de l’heure, puis réessayez.
ended-ended = L’organisateur a mis fin à la visioconférence
    .advice = Elle est terminée pour tout le monde.
ended-no-meeting = Cette visioconférence n’existe plus
    .advice = Elle est terminée ou le lien est erroné. Demandez un nouveau lien.
ended-unreachable = Le serveur ne répond pas
    .advice = Vérifiez votre connexion. Si elle fonctionne, le serveur est peut-être arrêté, ou bloqué par votre réseau.
ended-sign-in = Ce réseau affiche une page web à la place du serveur
    .advice = Il faut peut-être vous identifier sur ce réseau : ouvrez une page web dans votre navigateur, identifiez-vous, puis réessayez. Si aucune page ne s’affiche, quelqu’un intercepte peut-être la connexion : changez de réseau.
ended-proxy = Le proxy du réseau bloque la connexion
    .advice = Vérifiez l’adresse du proxy, le nom d’utilisateur et le mot de passe, ou contactez l’administrateur du réseau. Si cela fonctionnait auparavant, réessayez.
ended-certificate = Le serveur n’est pas celui que le lien désigne
    .advice = Quelqu’un intercepte peut-être la connexion, ou le serveur a été réinstallé. Ne continuez pas ; demandez un nouveau lien.
ended-version = Le serveur utilise une autre version de Conclave
    .advice = Mettez Conclave à jour ou demandez à l’administrateur de mettre le serveur à jour.
ended-server-silent = Le serveur ne répond plus
    .advice = Il reviendra peut-être dans un instant. Réessayez.
ended-full = La visioconférence est complète
    .advice = Réessayez quand quelqu’un sera parti ou demandez à l’administrateur du serveur d’augmenter sa capacité.
ended-draining = Le serveur s’arrête
    .advice = Il est sans doute mis à jour. Réessayez dans quelques minutes.
ended-host-stopped = L’hôte a mis fin à la visioconférence
    .advice = Elle était hébergée sur son ordinateur, qui ne l’héberge plus. Pour continuer, demandez un nouveau lien.
ended-server = Erreur du serveur
    .advice = La connexion a été fermée par précaution. Réessayez ; si cela continue, prévenez l’administrateur du serveur.
ended-forged = Les clés de chiffrement ne sont pas celles que le lien désigne
    .advice = Quelqu’un intercepte peut-être la connexion. Rien n’a été envoyé. Demandez un nouveau lien par un autre moyen.
ended-false-welcome = Un participant vous empêche de revenir dans votre visioconférence
    .advice = Quand vous demandez à revenir, quelqu’un répond avec de fausses clés. Réessayez. Si cela continue, démarrez une nouvelle visioconférence et n’envoyez son lien qu’à des personnes de confiance.
ended-here = Une erreur s’est produite sur cet ordinateur
    .advice = Réessayez. Si cela continue, relancez Conclave.

## Causes de pannes, dans les détails
cause-of = { $subject } : { $cause }
cause-in-english = message en anglais : « { $detail } »
cause-web-page = une page web répond à la place du serveur
cause-proxy-browser = identification demandée dans un navigateur
cause-proxy-negotiate = ce proxy n’accepte que l’identification Negotiate (Kerberos, avec votre session d’entreprise), que Conclave ne gère pas encore. Demandez à votre service informatique d’autoriser l’accès direct à ce serveur, ou l’identification par nom d’utilisateur et mot de passe
cause-proxy-ntlm = ce proxy n’accepte que l’identification NTLM (avec votre session Windows), que Conclave ne gère pas. Demandez à votre service informatique d’autoriser l’accès direct à ce serveur, ou l’identification par nom d’utilisateur et mot de passe
cause-proxy-scheme = identification demandée par une méthode pas encore prise en charge
cause-proxy-user = nom d’utilisateur et mot de passe demandés
cause-not-proxy = aucun proxy de ce type à cette adresse
cause-proxy-refuses = le proxy refuse la connexion au serveur
cause-closed = connexion fermée
cause-refused = connexion refusée
cause-interrupted = connexion interrompue
cause-timeout = pas de réponse à temps
cause-unreachable = réseau inaccessible
cause-unknown-host = nom du serveur introuvable
cause-certificate = certificat non reconnu
cause-no-sound = ni micro ni haut-parleur
cause-no-camera = aucune caméra
cause-no-microphone = aucun micro
cause-no-speaker = aucun haut-parleur
cause-absent = introuvable
cause-denied = accès refusé
cause-busy = déjà utilisé par un autre programme
cause-full = disque plein
cause-silent = ne répond pas
cause-lost = débranché ou arrêté
cause-format = format non pris en charge

## Ligne de commande
headless-joined = Vous avez rejoint la visioconférence sous le nom de { $name }.
window-closed = La fenêtre ne peut pas s’ouvrir
    .advice = Lancez Conclave dans une session graphique ou passez-vous de fenêtre : conclave meet --headless, conclave join LIEN --headless.
host-cannot-listen = Le serveur ne peut pas écouter à l’adresse { $subject }
    .advice = Choisissez une autre adresse avec --listen.
host-cannot-start = Le serveur ne peut pas démarrer
    .advice = Réessayez ou indiquez un autre serveur avec --server.
