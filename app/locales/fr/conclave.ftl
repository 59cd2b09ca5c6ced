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
preview-join = Rejoindre
preview-start-chat = Démarrer par la discussion seule
preview-join-chat = Rejoindre la discussion seule
preview-chat-text = Votre caméra et votre micro restent éteints tant que vous ne les activez pas.
preview-waiting-room = Salle d’attente
preview-lock = Verrouiller
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
enter-joining = Entrée en cours…
enter-approaching = Connecté. Recherche de la visioconférence…
enter-knocking = Votre demande d’entrée est envoyée.
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
meeting-people-waiting = { $count } en attente
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

## Demandes d’entrée
asking-title = Demandes d’entrée
asking-name = { $name } demande à entrer
asking-text = N’acceptez que les personnes attendues : les noms ne sont pas vérifiés.
asking-admit = Accepter
asking-admit-name = Accepter { $name }
asking-reply = Répondre…
asking-reply-name = Répondre à { $name }, ou refuser avec un motif
asking-decline = Refuser
asking-decline-name = Refuser { $name }
asking-more = { $count ->
    [one] Une autre personne demande aussi à entrer.
   *[other] { $count } autres personnes demandent aussi à entrer.
}

## Salle d’attente
lobby-title = Salle d’attente ({ $count })
lobby-admit = Accepter
lobby-admit-name = Accepter { $name }
lobby-admit-all = Tout accepter
lobby-refuse = Refuser
lobby-refuse-name = Refuser { $name }
lobby-message = Message
lobby-message-name = Message à { $name }
lobby-unread = { $count ->
    [one] Un nouveau message
   *[other] { $count } nouveaux messages
}
lobby-known = A déjà participé à cette visioconférence
lobby-guest = Invité(e), identité non vérifiée
lobby-sent-back = Renvoyé(e) en salle d’attente
lobby-current-link = lien actuel
lobby-old-link = ancien lien
lobby-waiting = { $minutes ->
    [0] attend depuis moins d’une minute
    [one] attend depuis une minute
   *[other] attend depuis { $minutes } minutes
}
lobby-reason = Motif, que la personne lira
lobby-reason-not-now = Pas maintenant, revenez plus tard
lobby-reason-not-invited = N’est pas attendu(e) ici
lobby-reason-full = Assez de participants
lobby-reason-none = Sans motif
lobby-rules = Qui peut entrer
lobby-known-rule = Accepter d’office les personnes connues
lobby-known-rule-text = Les appareils connus, et les personnes vérifiées par une organisation de confiance. Toutes les autres attendent.
lobby-flag-waiting = Salle d’attente
lobby-flag-waiting-on = Chacun attend qu’on le laisse entrer, sauf ceux qui ont déjà participé.
lobby-flag-waiting-off = Désactivée : le lien suffit pour entrer.
lobby-flag-lock = Verrouiller la visioconférence
lobby-flag-lock-on = Verrouillée : plus personne ne peut entrer, même avec le lien.
lobby-flag-lock-off = Déverrouillée : on peut encore entrer.
lobby-change-link = Changer le lien
lobby-send-back-title = Renvoyer { $name } en salle d’attente ?
lobby-send-back-text = { $name } ne pourra plus rien voir ni entendre avant d’être de nouveau accepté(e). Les clés changent pour tous les autres.
lobby-send-back-text-locked = { $name } ne pourra plus rien voir ni entendre, et ne pourra demander à revenir qu’une fois la visioconférence déverrouillée. Les clés changent pour tous les autres.
lobby-send-back-text-off = { $name } ne pourra plus rien voir ni entendre avant d’être de nouveau accepté(e). La salle d’attente est activée, et les clés changent pour tous les autres.
lobby-send-back-confirm = Renvoyer
lobby-chat = Messages
lobby-send = Envoyer
lobby-not-sent = Non envoyé. Patientez un instant, puis réessayez.
lobby-you = Vous
lobby-organiser = Organisateur ou coorganisateur
lobby-waiting-title = Salle d’attente
lobby-received = { $minutes ->
    [0] L’organisateur a reçu votre demande il y a moins d’une minute.
    [one] L’organisateur a reçu votre demande il y a une minute.
   *[other] L’organisateur a reçu votre demande il y a { $minutes } minutes.
}
lobby-not-received = Pas encore de réponse. S’il y a une salle d’attente, il faut que quelqu’un vous laisse entrer.
lobby-received-co = { $minutes ->
    [0] Un coorganisateur a reçu votre demande il y a moins d’une minute.
    [one] Un coorganisateur a reçu votre demande il y a une minute.
   *[other] Un coorganisateur a reçu votre demande il y a { $minutes } minutes.
}
lobby-sent = { $minutes ->
    [0] Vous avez demandé à entrer il y a moins d’une minute.
    [one] Vous avez demandé à entrer il y a une minute.
   *[other] Vous avez demandé à entrer il y a { $minutes } minutes.
}
lobby-nobody = Pour l’instant, personne dans la visioconférence ne peut vous laisser entrer. Votre demande est conservée : elle sera transmise dès qu’un organisateur reviendra.
lobby-you-sent-back = Vous avez été renvoyé(e) en salle d’attente. Votre caméra et votre partage sont arrêtés, et votre micro est coupé.
lobby-write = Message aux organisateurs
lobby-write-text = Seules les personnes qui peuvent vous laisser entrer le liront.

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
people-invite-waiting = Avec ce lien, on peut demander à entrer.
people-invite-right = Un organisateur doit d’abord vous autoriser à inviter.
people-invite-locked = La visioconférence est verrouillée : plus personne ne peut entrer.

## Partage
share-title = Partager votre écran
share-text = Tous les participants verront tout ce qui s’affiche sur l’écran choisi, y compris les notifications.
share-screen = Écran { $number }
share-only-screen = Votre écran
share-video-clip = Optimiser pour un clip vidéo
share-confirm = Partager
hint-video = Vidéo
hint-sign-language = Je m’exprime en langue des signes : garder ma vidéo fluide
knock-sound = Émettre un son quand quelqu’un demande à entrer

## Sécurité
lock-open = Sécurisation en cours…
lock-closed = Chiffrée de bout en bout
lock-verified = Chiffrée et vérifiée
lock-attention = À revérifier
lock-different = Mots différents
lock-forked = Clés différentes
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
lock-forked-text = Certaines personnes de la liste n’ont pas les mêmes clés que vous. Ne dites rien de confidentiel et comparez les mots.
lock-words = Mots de vérification
lock-words-text = Lisez à voix haute l’une des deux listes, la même pour tous. Si tout le monde voit les mêmes mots, personne n’intercepte les échanges.
lock-words-english = Mots anglais
lock-words-french = Mots français
lock-confirm = Mots identiques
lock-differ = Mots différents
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
said-asking = { $name } demande à entrer
said-asking-many = { $count } personnes demandent à entrer
said-asker-writes = { $name } vous a écrit depuis la salle d’attente
said-organiser-writes = Un organisateur vous écrit : { $text }
said-request-received = L’organisateur a reçu votre demande
said-request-received-co = Un coorganisateur a reçu votre demande

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
notice-keys-unreadable = L’application d’un participant a envoyé des clés illisibles pour la vôtre
    .advice = Une application honnête ne fait pas cela. Si les autres ont pu les lire, la vôtre se reconnecte toute seule. Les détails indiquent de qui il s’agit.
notice-keys-reported = L’application d’un participant a envoyé des clés illisibles pour un autre
    .advice = Une application honnête ne fait pas cela, mais le signalement peut être faux. Les détails indiquent l’expéditeur, puis l’auteur du signalement. Si cela se répète, excluez l’un des deux.
notice-reconnecting = Connexion perdue. Reconnexion…
    .advice = Vous restez dans la visioconférence. Elle reprend dès que la connexion est rétablie.
notice-reconnected = Connexion rétablie
    .advice = La visioconférence reprend.
notice-old-link-refused = Quelqu’un a essayé d’entrer avec un ancien lien
    .advice = Le lien a changé. Envoyez le nouveau lien aux personnes attendues.
notice-wrong-clock = Cet ordinateur et le serveur ne sont pas à la même heure
    .advice = Si l’heure de cet ordinateur est fausse, personne ne pourra entrer dans votre visioconférence : activez le réglage automatique de la date et de l’heure.
notice-refused = L’action n’a pas abouti
    .advice = La visioconférence était trop sollicitée. Réessayez dans un instant.
notice-link-not-changed = Le lien n’a pas pu être changé
    .advice = Il a peut-être déjà changé trop souvent. S’il vous faut un autre lien, démarrez une nouvelle visioconférence.
notice-no-gpu = Les images sont affichées sans carte graphique
    .advice = Aucun pilote graphique utilisable n’a été trouvé. Les grandes visioconférences seront plus lentes.
notice-no-keychain = La clé de cet appareil ne peut pas être conservée
    .advice = Le trousseau du système ne répond pas. La visioconférence reste chiffrée de bout en bout, mais la prochaine fois, les autres verront cet appareil comme nouveau.
notice-link-changed = Le lien a changé
    .advice = L’ancien ne suffit plus pour entrer. Envoyez le nouveau aux personnes que vous attendez encore.
notice-statistics-saved = Statistiques enregistrées sous { $name }
    .advice = Le dossier est indiqué dans les détails.
notice-chat-saved = Discussion enregistrée sous { $name }
    .advice = Le dossier est indiqué dans les détails.
notice-mentioned = { $name } vous a mentionné(e) dans la discussion
    .advice = Ouvrez la discussion pour lire le message.
notice-chat-not-changed = Votre modification de la discussion n’a pas été prise en compte
    .advice = Vous n’y êtes peut-être plus autorisé(e), ou le message a disparu. Réessayez.
notice-no-browser = Impossible d’ouvrir le navigateur
    .advice = Copiez le message et ouvrez le lien vous-même.
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
ended-barred = Vous avez été exclu de cette visioconférence
    .advice = Vous ne pouvez plus y entrer. S’il s’agit d’une erreur, contactez l’organisateur.
ended-old-link = Ce lien n’est plus valable
    .advice = L’organisateur l’a changé. Demandez-lui le nouveau lien.
ended-locked = La visioconférence est verrouillée
    .advice = Plus personne ne peut y entrer. Demandez à l’organisateur de la déverrouiller, puis réessayez.
ended-not-now = L’organisateur vous demande de revenir plus tard
    .advice = Réessayez plus tard, ou contactez l’organisateur par un autre moyen.
ended-not-invited = L’organisateur ne vous attend pas dans cette visioconférence
    .advice = Vérifiez que c’est le bon lien, et que l’on vous connaît sous ce nom. S’il s’agit d’une erreur, contactez l’organisateur par un autre moyen.
ended-no-room = L’organisateur ne laisse plus entrer personne
    .advice = Il y a assez de participants. Réessayez quand quelqu’un sera parti.
ended-unreadable-request = Votre demande d’entrée n’a pas pu être lue
    .advice = Vérifiez que le lien est complet, ou redemandez-le. Si cela ne suffit pas, mettez Conclave à jour.
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
ended-certificate = Ce serveur n’est pas celui qui est attendu
    .advice = Quelqu’un intercepte peut-être la connexion, le serveur a été réinstallé, ou le lien ou l’empreinte contient une faute de frappe. Ne continuez pas ; redemandez le lien.
ended-version = Le serveur utilise une autre version de Conclave
    .advice = Mettez Conclave à jour ou demandez à l’administrateur de mettre le serveur à jour.
ended-server-silent = Le serveur ne répond plus
    .advice = Il reviendra peut-être dans un instant. Réessayez.
ended-no-guests = Cette visioconférence n’accepte pas d’invités
    .advice = Entrez avec un certificat de votre organisation, ou demandez à l’organisateur d’accepter les invités.
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

## Discussion
chat-title = Discussion
chat-unread = { $count ->
    [one] { $count } nouveau message
   *[other] { $count } nouveaux messages
}
chat-list = Messages
chat-empty = Aucun message pour l’instant.
chat-none-found = Aucun message ne contient ce texte.
chat-earlier = Afficher les messages précédents
chat-gap = Vous avez été déconnecté(e). Il manque peut-être des messages ici.
chat-you = { $name } (vous)
chat-now = à l’instant
chat-minutes = il y a { $count } min
chat-hours = il y a { $count } h
chat-edited = modifié
chat-deleted = Message supprimé
chat-removed-by = Supprimé par { $name }
chat-sending = Envoi…
chat-failed = Non envoyé
chat-retry = Réessayer
chat-discard = Abandonner
chat-private = Message privé pour vous
chat-private-to = Message privé pour { $name }
chat-passed-on = antérieur à votre arrivée, transmis par { $name }
chat-passed-on-unproved = transmis par { $name } ; son auteur est parti, impossible de le vérifier
chat-more = Actions sur le message de { $name }
chat-reply = Répondre
chat-edit = Modifier
chat-delete = Supprimer
chat-remove = Supprimer pour tous
chat-copy = Copier le texte
chat-open-link = Ouvrir { $link }
chat-link-title = Ouvrir ce lien dans votre navigateur ?
chat-link-text = { $link }
chat-link-confirm = Ouvrir le lien
chat-react-like = J’aime
chat-react-heart = Cœur
chat-react-laugh = Rire
chat-react-surprised = Surprise
chat-react-celebrate = Bravo
chat-reacted = { $reaction } : { $names }
chat-replying = Réponse à { $name }
chat-editing = Modification de votre message
chat-reply-gone = Un message qui n’est pas affiché ici
chat-to = À
chat-to-everyone = Tout le monde
chat-to-change = Choisir le destinataire de votre message
chat-field = Message
chat-placeholder = Écrivez un message
chat-placeholder-private = Écrivez à { $name } uniquement
chat-send = Envoyer
chat-to-left = { $name } a quitté la visioconférence. Choisissez le destinataire de ce message.
chat-whole = Tout afficher
chat-less = Réduire
chat-too-long = Ce message est trop long. Envoyez-le en plusieurs fois.
chat-show-typing = Montrer ma saisie en direct
chat-typing = { $name } est en train d’écrire
chat-typing-list = Personnes en train d’écrire
chat-typing-more = { $count ->
    [one] Une autre personne est en train d’écrire
   *[other] { $count } autres personnes sont en train d’écrire
}
chat-mention = Mentionner { $name }
chat-mention-list = Personnes à mentionner
chat-no-right = L’organisateur a désactivé la discussion pour vous.
chat-kept = Les personnes qui arrivent plus tard peuvent lire les messages adressés à tous.
chat-not-kept = Les personnes qui arrivent plus tard ne voient pas les messages précédents.
chat-keep = Montrer les messages à ceux qui arrivent plus tard
chat-search = Rechercher dans les messages
chat-search-button = Rechercher
chat-export = Enregistrer la discussion
chat-export-right = Seules les personnes autorisées peuvent enregistrer la discussion.
chat-export-off = Un organisateur a désactivé l’enregistrement de la discussion.
chat-file-head = Conclave : discussion d’une visioconférence, enregistrée par { $name } le { $time }
shortcut-chat = Afficher ou masquer la discussion
said-chat = Message de { $name } : { $text }
said-chat-private = Message privé de { $name } : { $text }
said-chat-many = { $count } nouveaux messages dans la discussion
said-chat-flood = { $name } envoie trop de messages ; certains ne sont pas affichés
said-typing = { $name } écrit : { $text }
vote-start = Lancer un vote
vote-question = Question
vote-option = Réponse { $number }
vote-options = Réponses
vote-secret = Vote à bulletin secret
vote-secret-why = Les votes ne sont transmis qu’à vous. Les autres voient le résultat quand vous clôturez le vote.
vote-open-why = Tout le monde voit qui vote pour quoi.
vote-begin = Lancer le vote
vote-too-long = Ce texte est trop long.
vote-choose = Voter pour { $option }
vote-count = { $count ->
        [one] { $count } vote
       *[other] { $count } votes
    }
vote-is-open = tout le monde voit qui vote pour quoi
vote-is-secret = Bulletin secret : votes transmis uniquement à { $name }
vote-is-mine = bulletin secret, votes transmis uniquement à vous
vote-ended = Vote clos
vote-counted-by = décompte de { $name }
vote-end = Clôturer le vote
## Qui parle
notice-forged = Quelqu’un envoie des images ou du son au nom d’un autre participant
    .advice = Conclave les bloque. Cela suppose la complicité d’un participant et du serveur : poursuivez sur un serveur de confiance.
tile-forged = Masqué : ce n’est pas cette personne
tile-forged-text = Quelqu’un d’autre envoie des images ou du son au nom de { $name }. Conclave les bloque.
tile-unproven = Masqué : non confirmé
tile-unproven-text = Rien ne confirme que ces images ou ce son viennent bien de { $name }. Conclave les masque en attendant.
## Ce que font les organisateurs
by-organiser = { $name } (organisateur)
by-co-organiser = { $name } (coorganisateur)
by-somebody = Un organisateur
people-co-organiser = Coorganisateur
people-presenter = Présentateur
people-guest = Invité
people-participant = Participant
people-succession = Coorganisateur n° { $order }
people-succession-name = Coorganisateur, numéro { $order } dans l’ordre de succession
people-muted = Micro bloqué
people-mute-all = Couper tous les micros
people-allow-all = Laisser chacun activer son micro
person-menu = Plus d’actions pour { $name }
person-mute = Couper le micro
person-stop-camera = Couper la caméra
person-stop-share = Interdire le partage d’écran
person-allow-microphone = Autoriser le micro
person-allow-camera = Autoriser la caméra
person-allow-share = Autoriser le partage d’écran
person-lower-hand = Baisser la main
person-make-co-organiser = Nommer coorganisateur
person-make-presenter = Nommer présentateur
person-make-participant = Donner le rôle de participant
person-make-guest = Donner le rôle d’invité
person-hand-over = Transmettre la visioconférence…
person-send-back = Renvoyer en salle d’attente…
person-rights = Droits…
rights-title = Droits accordés à { $name }
rights-role = Rôle : { $role }
rights-text = Une autorisation n’active rien : c’est à { $name } d’allumer son micro ou sa caméra, ou de partager son écran.
rights-by-role = Inclus dans le rôle
rights-not-by-role = Non inclus dans le rôle
rights-granted = Exception : autorisé pour cette personne
rights-withdrawn = Exception : interdit à cette personne
rights-managers-only = Réservé à l’organisateur et aux coorganisateurs.
rights-not-own = Vous ne pouvez pas l’autoriser, car vous n’y avez pas droit vous-même.
rights-done = Terminé
right-microphone = Activer son micro
    .verb = activer votre micro
right-camera = Allumer sa caméra
    .verb = allumer votre caméra
right-share = Partager son écran
    .verb = partager votre écran
right-chat = Écrire dans la discussion
    .verb = écrire dans la discussion
right-react = Réagir et lever la main
    .verb = réagir et lever la main
right-record = Enregistrer la discussion dans un fichier
    .verb = enregistrer la discussion
right-invite = Copier le lien d’invitation
    .verb = copier le lien d’invitation
right-admit = Faire entrer des personnes
    .verb = faire entrer des personnes
right-remove = Exclure des personnes
    .verb = exclure des personnes
right-set-role = Changer les rôles
    .verb = changer les rôles
right-delegate = Couper les micros et modifier les droits
    .verb = couper les micros et modifier les droits
rules = Réglages de la visioconférence
rules-now-waiting = Avec salle d’attente
rules-now-no-waiting = Sans salle d’attente
rules-now-locked = Verrouillée
rules-title = Règles pour tous
rules-guests = Accepter les invités
rules-guests-on = On peut entrer sans prouver son identité.
rules-guests-off = Désactivé : il faut un certificat d’une organisation ou avoir déjà participé.
rules-save = Autoriser l’enregistrement de la discussion
rules-save-on = Les personnes autorisées peuvent enregistrer la discussion dans un fichier.
rules-save-off = Désactivé : personne ne peut enregistrer la discussion, pas même vous.
rules-role = Rôle des nouveaux participants
rules-role-text = S’applique aussi aux personnes présentes sans rôle ni droits particuliers.
hand-over-title = Transmettre la visioconférence à { $name } ?
hand-over-text = { $name } devient organisateur et pourra tout faire, y compris vous exclure. Vous devenez coorganisateur, sans retour possible.
hand-over-confirm = Transmettre
hand-raise = Lever la main
hand-lower = Baisser la main
hand-name = Main levée
hand-place = Numéro { $place } dans la file
hands-title = { $count ->
    [one] { $count } main levée
   *[other] { $count } mains levées
}
hands-line = { $place }. { $name }
hands-lower = Baisser la main de { $name }
hands-lower-all = Tout baisser
stop-everything = Tout arrêter…
stop-title = Tout arrêter ?
stop-text = Tous les autres participants retournent immédiatement en salle d’attente et ne pourront plus rien voir ni entendre. Vous déciderez qui revient. Votre micro, votre caméra et votre partage s’arrêtent. Les clés et le lien changent. Les coorganisateurs perdent leur rôle. Pour confirmer, vous pouvez aussi appuyer de nouveau sur { $keys }.
stop-confirm = Tout arrêter
shortcut-hand = Lever ou baisser la main
meeting-mute-forbidden = Micro coupé
meeting-camera-forbidden = Caméra coupée
meeting-share-forbidden = Partage interdit
tile-muted-by = micro coupé par un organisateur
tile-camera-by = caméra coupée par un organisateur
tile-note-muted = Micro coupé par un organisateur
tile-hand = main levée
said-hand = { $name } lève la main
said-hand-many = { $count } personnes lèvent la main
notice-muted-by = { $name } a coupé votre micro
    .advice = Pour demander la parole, levez la main.
notice-camera-stopped-by = { $name } n’autorise pas votre caméra
    .advice = Plus personne ne vous voit. Pour demander à la rallumer, levez la main.
notice-share-stopped-by = { $name } n’autorise pas votre partage d’écran
    .advice = Plus personne ne voit votre écran. Pour demander à le partager, levez la main.
notice-microphone-allowed = { $name } vous laisse de nouveau parler
    .advice = Votre micro est encore coupé. Activez-le quand vous voulez parler.
notice-camera-allowed = { $name } autorise votre caméra
    .advice = Elle est encore coupée. Activez-la quand vous le souhaitez.
notice-share-allowed = { $name } vous autorise à partager votre écran
    .advice = Rien n’est encore partagé. Choisissez « Partager l’écran » quand vous le souhaitez.
notice-rights-granted = { $name } a étendu vos droits : { $rights }
    .advice = Vous pouvez le faire dès maintenant. Rien n’a été activé à votre place.
notice-rights-withdrawn = { $name } a restreint vos droits : { $rights }
    .advice = Pour les retrouver, adressez-vous à un organisateur.
notice-role-organiser = { $name } vous a transmis la visioconférence
    .advice = Vous en êtes maintenant l’organisateur : vous pouvez faire entrer des participants, couper leur micro, les exclure et mettre fin à la visioconférence.
notice-role-co-organiser = { $name } vous a nommé coorganisateur
    .advice = Vous pouvez faire entrer des personnes, couper les micros et exclure des participants.
notice-role-presenter = { $name } vous a nommé présentateur
    .advice = Un présentateur peut partager son écran, sauf si un organisateur lui en a retiré le droit.
notice-role-participant = { $name } vous a donné le rôle de participant
    .advice = Vous avez maintenant les droits d’un participant.
notice-role-guest = { $name } vous a donné le rôle d’invité
    .advice = Un invité peut parler, montrer son image et écrire dans la discussion, sauf si un organisateur lui en a retiré le droit.
notice-succeeded = Vous êtes maintenant l’organisateur
    .advice = L’organisateur est parti et vous étiez le suivant.
notice-hand-lowered = { $name } a baissé votre main
    .advice = Vous pouvez la lever de nouveau.
notice-may-not-speak = Un organisateur a coupé votre micro
    .advice = Pour demander la parole, levez la main.
notice-may-not-camera = Un organisateur doit d’abord autoriser votre caméra
    .advice = Pour demander à l’allumer, levez la main.
notice-may-not-share = Un organisateur doit d’abord autoriser votre partage d’écran
    .advice = Pour demander à le partager, levez la main.
ended-removed-by = { $name } vous a exclu
    .advice = Vous ne pouvez plus ni voir ni entendre la visioconférence. S’il s’agit d’une erreur, contactez l’organisateur.

## Qui est qui
identity-date = { $day ->
    [1] 1er
   *[other] { $day }
} { $month ->
    [1] janvier
    [2] février
    [3] mars
    [4] avril
    [5] mai
    [6] juin
    [7] juillet
    [8] août
    [9] septembre
    [10] octobre
    [11] novembre
   *[12] décembre
} { $year }
identity-verified = Identité vérifiée par { $organisation }
identity-verified-as = { $organisation } a vérifié son identité : { $person }
identity-untrusted = Certificat d’une organisation que vous n’avez pas approuvée
identity-expired = Son certificat a expiré
identity-not-yet-valid = Son certificat n’est pas encore valide : vérifiez la date de cet ordinateur
identity-other-key = Son certificat appartient à un autre appareil
identity-invalid = Son certificat n’est pas valide
identity-known = Appareil connu depuis le { $date }
identity-other-name = Appareil connu depuis le { $date }, sous un autre nom
identity-new = Nouvel appareil
identity-other-device = Ce n’est pas l’appareil habituel de { $name }
identity-note = Appareil inhabituel
identity-advice = Demandez à { $name } de lire les douze mots à voix haute, et écoutez : sont-ils identiques aux vôtres, et reconnaissez-vous sa voix ?
identity-advice-asking = Avant d’accepter cette personne, vérifiez auprès de { $name } par un autre moyen, le téléphone par exemple.
identity-compare = Comparer les mots
identity-compare-name = Comparer les mots avec { $name }
identity-accept = { $name } a un nouvel appareil : le mémoriser
notice-other-device = Ce n’est pas l’appareil habituel de { $name }
    .advice = Comparez les douze mots avec { $name }. Si { $name } a vraiment changé d’appareil, indiquez-le dans la liste des participants.
notice-devices-damaged = La liste des appareils connus était endommagée
    .advice = Elle a été mise de côté : tout le monde est considéré comme nouveau. Comparez les douze mots avec vos interlocuteurs habituels.

## Tout le monde a les mêmes clés, ou non
notice-forked = Vos clés diffèrent de celles de { $name }
    .advice = Le serveur sépare peut-être la visioconférence en deux, ou Conclave fonctionne mal chez l’un de vous. Ne dites rien de confidentiel. Comparez les mots par un autre moyen, le téléphone par exemple, ou quittez la visioconférence. En attendant, personne d’autre ne peut entrer.
notice-unheard = Vous ne recevez rien de { $name }
    .advice = Le serveur retient peut-être des messages, quoi qu’il dise de la connexion. Vérifiez par un autre moyen, par exemple au téléphone.
notice-misnumbered = Le serveur n’envoie pas les mêmes informations à { $name } qu’à vous
    .advice = Vous avez toujours les mêmes clés, mais le serveur est défaillant ou malhonnête. Comparez les mots, et prévenez la personne qui gère le serveur.
notice-agreed = Tout le monde a de nouveau les mêmes clés
    .advice = On peut de nouveau entrer dans la visioconférence.
notice-other-group = Vos clés n’étaient pas celles de { $name } : vous entrez de nouveau dans la visioconférence
    .advice = Si cela se répète, le serveur sépare peut-être la visioconférence en deux : comparez les mots avec les autres.
fork-with = Mêmes clés que vous : { $name }
fork-alone = Personne ne semble avoir les mêmes clés que vous.
fork-compare = Afficher les mots

## Les images à comparer
emoji-sun = soleil
emoji-moon = lune
emoji-star = étoile
emoji-cloud = nuage
emoji-umbrella = parapluie
emoji-lightning = éclair
emoji-snowflake = flocon
emoji-drop = goutte
emoji-flame = flamme
emoji-leaf = feuille
emoji-fir = sapin
emoji-flower = fleur
emoji-mushroom = champignon
emoji-cactus = cactus
emoji-apple = pomme
emoji-cherries = cerises
emoji-pear = poire
emoji-carrot = carotte
emoji-egg = œuf
emoji-cheese = fromage
emoji-cup = tasse
emoji-bottle = bouteille
emoji-candle = bougie
emoji-spoon = cuillère
emoji-key = clé
emoji-bell = cloche
emoji-book = livre
emoji-pencil = crayon
emoji-scissors = ciseaux
emoji-hammer = marteau
emoji-ladder = échelle
emoji-wheel = roue
emoji-bicycle = vélo
emoji-car = voiture
emoji-bus = bus
emoji-boat = bateau
emoji-plane = avion
emoji-rocket = fusée
emoji-balloon = ballon
emoji-kite = cerf-volant
emoji-house = maison
emoji-tent = tente
emoji-castle = château
emoji-mountain = montagne
emoji-fish = poisson
emoji-bird = oiseau
emoji-cat = chat
emoji-rabbit = lapin
emoji-snail = escargot
emoji-butterfly = papillon
emoji-hat = chapeau
emoji-shirt = chemise
emoji-glasses = lunettes
emoji-crown = couronne
emoji-diamond = diamant
emoji-heart = cœur
emoji-target = cible
emoji-dice = dé
emoji-flag = drapeau
emoji-anchor = ancre
emoji-drum = tambour
emoji-camera = appareil photo
emoji-bulb = ampoule
emoji-phone = téléphone

## Comparer des images, et lire une phrase à voix haute
pictures-title = Images de vérification
pictures-text = Tout le monde reçoit les cinq mêmes images, plus rapides à comparer que les mots.
pictures-compare = Comparer les images
pictures-again = Nouvelles images
pictures-waiting = En attente de { $name }…
pictures-done = Chacun lit à voix haute les cinq noms, dans cet ordre. Si tout le monde voit les mêmes images, personne n’intercepte les échanges.
pictures-done-with = Ces images concernent { $name }. Si vous voyez tous les mêmes, personne n’intercepte vos échanges.
pictures-outdated = Un participant est arrivé ou parti, ou les clés ont changé : les dernières images ne sont plus valables.
pictures-silent = Pas de réponse de { $name }. Réessayez. Si cela se répète, le serveur retient peut-être des messages.
pictures-wrong = La réponse de { $name } n’est pas valable : il n’y a pas d’images. Comparez plutôt les mots.
pictures-keys-changed = Les clés ont changé entre-temps. Réessayez.
pictures-too-many = Il y a plus de { $count } participants. Comparez plutôt les mots.
pictures-alone = Il n’y a encore personne avec qui comparer des images.
pictures-too-soon = Une comparaison vient de commencer. Réessayez dans quelques secondes.
phrase-title = Phrase à lire à voix haute
phrase-text = Demandez à quelqu’un de lire aussitôt à voix haute cinq mots tirés au hasard. Regardez et écoutez bien. Une voix ou un visage de synthèse peut avoir du mal à suivre, mais ce n’est pas une preuve.
phrase-ask = Demander
phrase-ask-name = Demander une phrase à { $name }
phrase-asked = Demande envoyée à { $name }…
phrase-failed = Pas de réponse de { $name }, ou les clés ont changé entre-temps. Réessayez.
phrase-listen = { $name } devrait commencer à lire ces mots dans les dix secondes :
phrase-heard = Entendue
phrase-not-heard = Pas entendue
phrase-read = { $name } vous demande de lire ces mots à voix haute maintenant :
phrase-done = Terminé
phrase-was-heard = phrase entendue
phrase-was-not-heard = phrase non entendue
notice-pictures-ready = { $name } compare des images avec tout le monde
    .advice = Vos cinq images sont dans le volet Sécurité.
notice-read-phrase = { $name } vous demande de lire une phrase à voix haute
    .advice = Les mots sont dans le volet Sécurité.
